"""Schedule of dependent steps in whole working days."""


def schedule(steps):
    """Earliest working days on which each step starts and ends.

    A step starts ``offset`` working days after the start of the plan, or when the last step it
    depends on has ended, whichever is later, and takes ``duration`` working days.

    :param dict steps: step key -> ``(offset, duration, keys it depends on)``; keys that are
        not in ``steps`` are ignored
    :return: dict step key -> ``(start, end)``, working days counted from the plan's start (0)
    :raises ValueError: the dependencies form a circle
    """
    result = {}
    pending = dict(steps)
    while pending:
        ready = [
            key
            for key, (__, __, needs) in pending.items()
            if all(need in result or need not in steps for need in needs)
        ]
        if not ready:
            raise ValueError("circular dependency")
        for key in ready:
            offset, duration, needs = pending.pop(key)
            start = max([offset, *(result[need][1] for need in needs if need in result)])
            result[key] = (start, start + duration)
    return result
