"""Moves of a deal along the steps of its sale process: plain reckoning, without the ORM."""

SAME = "same"
FORWARD = "forward"
SKIP = "skip"
BACK = "back"
OUTSIDE = "outside"


def judge_move(path, old, new, one_by_one=True):
    """What a move from one stage to another means on a path of stages.

    :param path: sequence of stages, in the order of the steps, each at most once
    :param old: the stage that is left; None or a stage off the path when the deal stands nowhere
    :param new: the stage that is entered
    :param bool one_by_one: whether forward means exactly one step; otherwise any order is free
    :return: `same`, `forward` (allowed as far as the order goes), `skip` (leaves out steps),
        `back`, or `outside` (the new stage is not on the path)
    :rtype: str

    A deal that stands nowhere enters at the first step; anything further is a `skip`.
    """
    if old == new:
        return SAME
    if new not in path:
        return OUTSIDE
    if not one_by_one:
        return FORWARD
    position = path.index(new)
    before = path.index(old) if old in path else -1
    if position == before + 1:
        return FORWARD
    return BACK if position < before else SKIP


def get_previous(path, stage):
    """The stages that come before one of them.

    :return: list, in the order of the path; empty for a stage off the path
    """
    return list(path[: path.index(stage)]) if stage in path else []


def get_next(path, stage):
    """The stage that follows; the first one for a deal that stands nowhere; None after the last."""
    position = path.index(stage) + 1 if stage in path else 0
    return path[position] if position < len(path) else None


def rank_stages(pipeline, path):
    """Where every stage of the pipeline stands on a path that may have only some of them.

    :param pipeline: all stages, in their order
    :param path: the stages of the steps, in theirs
    :return: stage → (rank, whether it is a step). Steps have even ranks; a stage that is none gets
        the odd rank behind as many steps as come before it in the pipeline.
    :rtype: dict
    """
    ranks = {}
    for position, stage in enumerate(pipeline):
        if stage in path:
            ranks[stage] = (2 * path.index(stage) + 2, True)
        else:
            earlier = sum(step in path for step in pipeline[:position])
            ranks[stage] = (2 * earlier + 1, False)
    return ranks
