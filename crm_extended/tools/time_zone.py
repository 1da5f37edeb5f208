"""Where a client's clock is. Plain Python, no database."""

import phonenumbers
import phonenumbers.timezone
import pytz

from .state_zones import STATE_ZONES

# zone in which most people of a country with several zones live (by population, own list);
# elsewhere the first zone of the country is taken
MAIN_ZONES = {
    "AR": "America/Argentina/Buenos_Aires",
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "CD": "Africa/Kinshasa",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "CY": "Asia/Nicosia",
    "DE": "Europe/Berlin",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "FR": "Europe/Paris",
    "ID": "Asia/Jakarta",
    "KZ": "Asia/Almaty",
    "MN": "Asia/Ulaanbaatar",
    "MX": "America/Mexico_City",
    "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland",
    "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
    "US": "America/New_York",
    "UZ": "Asia/Tashkent",
}


def get_country_zone(country_code):
    """Main time zone of a country.

    :param str country_code: ISO 3166 code of two letters, or empty
    :return: name of a time zone, or None
    """
    if not country_code:
        return None
    main = MAIN_ZONES.get(country_code.upper())
    if main in pytz.all_timezones_set:
        return main
    return next(iter(pytz.country_timezones.get(country_code.upper(), ())), None)


def get_state_zone(country_code, state_code):
    """Time zone of a state of a country with several clocks.

    :param str country_code: ISO 3166 code of two letters, or empty
    :param str state_code: code of the state within the country, or empty
    :return: name of a time zone; None for a state that is not in the table
    """
    zone = STATE_ZONES.get(((country_code or "").upper(), (state_code or "").upper()))
    return zone if zone in pytz.all_timezones_set else None


def get_phone_zones(phone, country_code=None):
    """Time zones in which a phone number can be used.

    :param str phone: a number in any spelling, or empty
    :param str country_code: country in which a number without prefix is read
    :return: (names of time zones, code of the number's country or None)
    """
    if not phone:
        return [], None
    try:
        number = phonenumbers.parse(phone, country_code or None)
    except phonenumbers.NumberParseException:
        return [], None
    if not phonenumbers.is_valid_number(number):
        return [], None
    region = phonenumbers.region_code_for_number(number)
    country_zones = pytz.country_timezones.get(region, ())
    if len(country_zones) == 1:
        # the library names one city for all zones that keep the same time
        return list(country_zones), region
    return [
        zone
        for zone in phonenumbers.timezone.time_zones_for_number(number)
        if zone in pytz.all_timezones_set and not zone.startswith("Etc/")
    ], region


def get_phone_zone(phone, country_code=None):
    """Most likely time zone of a phone number.

    A number that can be used in several zones (mobile numbers of large countries, toll-free
    numbers) gives the main zone of its country, if that is one of them.

    :param str phone: a number in any spelling, or empty
    :param str country_code: country in which a number without prefix is read
    :return: name of a time zone, or None
    """
    zones, region = get_phone_zones(phone, country_code)
    if len(zones) <= 1:
        return next(iter(zones), None)
    main = get_country_zone(region)
    return main if main in zones else None


def find_time_zone(own=None, phone=None, state_code=None, country_code=None, default=None):
    """Time zone of a client, from the best source there is.

    A number that belongs to one zone says more than an address; a number that is used all
    over a large country says less than the state of the client.

    :param str own: zone entered for the client
    :param str phone: phone number of the client
    :param str state_code: state of the client within its country
    :param str country_code: country of the client
    :param str default: zone of the company
    :return: (name of a time zone, source: own, phone, state, country or company)
    """
    if own in pytz.all_timezones_set:
        return own, "own"
    zones, _region = get_phone_zones(phone, country_code)
    if len(zones) == 1:
        return zones[0], "phone"
    zone = get_state_zone(country_code, state_code)
    if zone:
        return zone, "state"
    zone = get_phone_zone(phone, country_code)
    if zone:
        return zone, "phone"
    zone = get_country_zone(country_code)
    if zone:
        return zone, "country"
    return (default if default in pytz.all_timezones_set else "UTC"), "company"


def get_country_zones(country_code):
    """Names of the time zones of a country, the main one first; empty for an unknown code."""
    zones = list(pytz.country_timezones.get((country_code or "").upper(), ()))
    main = get_country_zone(country_code)
    return sorted(zones, key=lambda zone: (zone != main, zone))
