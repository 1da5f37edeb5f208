"""How good probabilities are, said openly. Pure numpy: no ORM, no clock."""

import math

import numpy as np

from . import win_model

# Deals of which the model must have seen so many, and so many of the rarer outcome.
MIN_DEALS, MIN_RARER = 50, 10
READY_DEALS, READY_RARER = 200, 40
READY_AUC, USABLE_AUC = 0.65, 0.55
# Mean distance between promised and observed rates that a ready model may have.
READY_ERROR = 0.06
# The model is judged on this share of the deals, the latest, when there are enough of them.
LATER_SHARE, LATER_DEALS, LATER_RARER = 0.25, 40, 8


def get_auc_error(auc, won):
    """Return the standard error of an AUC (Hanley and McNeil 1982)."""
    good = float(np.sum(won))
    bad = len(won) - good
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (good - 1) * (q1 - auc**2) + (bad - 1) * (q2 - auc**2)
    return math.sqrt(max(variance, 0.0) / (good * bad))


def get_calibration(chance, won, groups=10):
    """Return the points of a calibration plot: deals sorted by promise, in groups of equal size.

    :return: list of dict(deals, promised, observed), rates from 0 to 1
    """
    order = np.argsort(chance, kind="stable")
    groups = max(1, min(groups, len(order) // 8))
    return [
        {
            "deals": len(part),
            "promised": float(np.mean(chance[part])),
            "observed": float(np.mean(won[part])),
        }
        for part in np.array_split(order, groups)
        if len(part)
    ]


def measure(chance, won, rate):
    """Measure probabilities against outcomes.

    :param chance: probabilities, 0 to 1
    :param won: outcomes, 1 or 0
    :param float rate: win rate known before: what a model must beat
    :return: dict(deals, won, auc, auc_low, log_loss, rate_loss, error, points): ``auc_low`` is the
        lower end of the 95 % interval, ``rate_loss`` the log-loss of the win rate alone,
        ``error`` the mean distance of promised and observed rates; AUC is None when all outcomes
        are the same
    """
    chance, won = np.asarray(chance, dtype=float), np.asarray(won, dtype=float)
    auc = win_model.get_auc(chance, won)
    points = get_calibration(chance, won)
    return {
        "deals": len(won),
        "won": int(won.sum()),
        "auc": auc,
        "auc_low": None if auc is None else auc - 1.96 * get_auc_error(auc, won),
        "log_loss": float(win_model.get_log_loss(chance, won).mean()),
        "rate_loss": float(win_model.get_log_loss(np.full(len(won), rate), won).mean()),
        "error": sum(p["deals"] * abs(p["promised"] - p["observed"]) for p in points) / len(won),
        "points": points,
    }


def judge(inputs, columns, won, prior=0.5):
    """Measure how a model trained on the earlier deals does on the later ones.

    With few deals every deal is judged by models trained on the others instead.

    :return: :func:`measure` and "later": whether later deals were the judge
    """
    won = np.array(won, dtype=float)
    cut = len(won) - int(len(won) * LATER_SHARE)
    later = won[cut:]
    if len(later) >= LATER_DEALS and LATER_RARER <= later.sum() <= len(later) - LATER_RARER:
        model, _unseen = win_model.fit(
            inputs, {name: values[:cut] for name, values in columns.items()}, won[:cut], prior
        )
        chance = win_model.predict(model, {name: v[cut:] for name, v in columns.items()})
        return measure(chance, later, won[:cut].mean().clip(0.01, 0.99)) | {"later": True}
    _model, unseen = win_model.fit(inputs, columns, won, prior)
    rate = (won.sum() + 2 * prior) / (len(won) + 2)
    return measure(unseen, won[-len(unseen) :], rate) | {"later": False}


def get_verdict(quality, deals, won):
    """Say whether probabilities can be relied on.

    *Ready*: trained on enough deals of both outcomes, ranks deals well, promises what happens.
    *Usable*: better than the win rate alone beyond chance. *Not ready*: everything else.

    :param dict quality: see :func:`judge`
    :param int deals: closed deals the model was trained on
    :param int won: how many of them were won
    :return: "ready", "usable" or "not_ready"
    """
    rarer = min(won, deals - won)
    if deals < MIN_DEALS or rarer < MIN_RARER or quality["auc"] is None:
        return "not_ready"
    if quality["auc"] < USABLE_AUC or quality["auc_low"] <= 0.5:
        return "not_ready"
    if quality["log_loss"] >= quality["rate_loss"]:
        return "not_ready"
    ready = (
        deals >= READY_DEALS
        and rarer >= READY_RARER
        and quality["auc"] >= READY_AUC
        and quality["error"] <= READY_ERROR
    )
    return "ready" if ready else "usable"
