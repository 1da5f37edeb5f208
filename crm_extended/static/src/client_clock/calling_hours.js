const MINUTES_OF_A_DAY = 24 * 60;

/**
 * Whether a client may be called, by the rules of `tools/calling_window.py`.
 *
 * @param {Object} clock value of a `client_clock` field
 * @param {luxon.DateTime} local moment by the clock of the client
 * @returns {boolean}
 */
export function isCallingTime(clock, local) {
    const from = Math.round(clock.hour_from * 60);
    let to = Math.round(clock.hour_to * 60);
    if (to < from) {
        to += MINUTES_OF_A_DAY; // over midnight
    }
    const minute = local.hour * 60 + local.minute;
    return [
        { day: local, minute },
        // a window over midnight may have opened yesterday
        { day: local.minus({ days: 1 }), minute: minute + MINUTES_OF_A_DAY },
    ].some(
        (candidate) =>
            from <= candidate.minute &&
            candidate.minute < to &&
            clock.weekdays.includes(candidate.day.weekday - 1) &&
            !clock.holidays.includes(candidate.day.toISODate())
    );
}
