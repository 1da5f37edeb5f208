"""VIES, the register of the European Union's tax numbers, as python-stdnum asks it."""

import requests
import zeep
from lxml import etree
from stdnum.eu import vat as stdnum_vat
from stdnum.exceptions import ValidationError as StdnumError

from .registry import Address, Party, RegistryError

SECONDS = 10
# the member state, or the service itself, is not there at the moment
BUSY = ("MAX_CONCURRENT_REQ", "BLOCKED")
# how member states say that they do not tell
SECRET = "---"


def is_vies_number(number):
    """Whether VIES may be asked for this number: a valid one of the European Union."""
    return stdnum_vat.is_valid(number or "")


def find_party(number):
    """Ask for a tax number.

    :return: list of one Party, or empty if the number is not valid
    :raise RegistryError: if it did not answer
    """
    try:
        answer = stdnum_vat.check_vies(number, timeout=SECONDS)
    except StdnumError as error:
        raise RegistryError("request") from error
    except zeep.exceptions.TransportError as error:
        raise RegistryError("server") from error
    except zeep.exceptions.Fault as error:
        message = str(error.message)
        if "INVALID_INPUT" in message:
            raise RegistryError("request") from error
        is_busy = any(word in message for word in BUSY)
        raise RegistryError("rate" if is_busy else "server") from error
    except (requests.HTTPError, zeep.exceptions.Error, etree.LxmlError, ValueError) as error:
        raise RegistryError("broken") from error
    except OSError as error:  # requests' errors are OSErrors
        raise RegistryError("timeout") from error
    if not answer["valid"]:
        return []
    lines = [line.strip() for line in _tell(answer["address"]).splitlines() if line.strip()]
    name = _tell(answer["name"]).strip()
    return [
        Party(
            inn=f"{answer['countryCode']}{answer['vatNumber']}",
            name=name,
            full_name=name,
            address=Address(
                full=", ".join(lines),
                street=lines[0] if lines else "",
                street2=", ".join(lines[1:]),
                country_code="GR" if answer["countryCode"] == "EL" else answer["countryCode"],
            ),
        )
    ]


def _tell(text):
    return "" if not text or text.startswith(SECRET) else text
