"""Arithmetic of repeated attempts to reach a client. Plain Python, no database."""


def get_retry_delay(attempts, delays):
    """Time to wait before the next attempt.

    :param int attempts: attempts made since the last reached contact, the last one included;
        at least 1
    :param list delays: waiting times, one for each rung of the ladder
    :return: the rung that follows the given attempt, or None after the last one
    :raise ValueError: if no attempt has been made
    """
    if attempts < 1:
        raise ValueError("a retry follows at least one attempt")
    return delays[attempts - 1] if attempts <= len(delays) else None


def get_next_attempt(now, attempts, delays, window, zone):
    """When to try again.

    :param datetime now: time of the attempt just made (naive, UTC)
    :param int attempts: as in `get_retry_delay`
    :param list delays: timedeltas, one for each rung of the ladder
    :param CallingWindow window: when the client may be called
    :param zone: time zone of the client (pytz)
    :return: naive datetime in UTC, inside the window; None after the last rung
    """
    delay = get_retry_delay(attempts, delays)
    return None if delay is None else window.move_into(now + delay, zone)
