"""The Russian tax service's check of counterparties (SOAP), for many clients in one request.

Source: https://npchk.nalog.ru, *Web service*. It knows whether a pair of INN and KPP is registered
and whether it was active on a day; no names, no addresses. The description of the service is
shipped (`data/registry/fns_npchk.wsdl`), so that nothing is asked for but the answer itself.
"""

from pathlib import Path

import requests
import zeep
from lxml import etree
from zeep.transports import Transport

from . import registry_http
from .registry import RegistryError

FNS_URL = "https://npchk.nalog.ru/FNSNDSCAWS_2"
WSDL = Path(__file__).parent.parent / "data" / "registry" / "fns_npchk.wsdl"
BINDING = "{http://ws.unisoft}FNSNDSCAWS2_Binding"
# of the service itself: 10,000; fewer keep a request short
MAX_CLIENTS = 500
# a client on whom the service failed
UNANSWERED = ""
# so many failures with no answer at all: the question, its halves, their halves
FAULTS_OF_ALL = 7
# two clients to choke on in a full question are found within so many failures
MOST_FAULTS = 20
# what the service answers to each client; other codes say that the question was malformed
STATES = {
    "0": "active",
    "1": "liquidated",
    "2": "active",
    "3": "kpp_mismatch",
    "4": "not_found",
}


class _Transport(Transport):
    """No detours, no endless answers, our own time-outs."""

    def post(self, address, message, headers):
        try:
            response = self.session.post(
                address,
                data=message,
                headers=headers,
                timeout=registry_http.TIMEOUT,
                allow_redirects=False,
                stream=True,
            )
            # zeep reads it from there
            response._content = registry_http.read_limited(response)
        except (requests.ConnectionError, requests.Timeout) as error:
            raise RegistryError("timeout") from error
        except requests.RequestException as error:
            raise RegistryError("broken") from error
        # a SOAP fault comes with 500 and says more than the status
        if response.status_code != 200 and b"Fault" not in response.content[:4096]:
            raise registry_http.get_failure(
                response.status_code, response.headers.get("Retry-After")
            )
        return response


def check_clients(url, clients, day):
    """Ask for the state of clients on a day.

    One client whom the service chokes on fails the whole question: then it is asked about in
    parts, so that the others get their answer. A service that answers no part is out of order.

    :param clients: list of (INN, KPP or an empty string), at most `MAX_CLIENTS`
    :param date day: not in the future
    :return: list of statuses in the order of the clients; None where the service found the
        question malformed, `UNANSWERED` where it failed on this client
    :raise RegistryError: if it did not answer
    """
    try:
        service = zeep.Client(str(WSDL), transport=_Transport()).create_service(BINDING, url)
    except (zeep.exceptions.Error, etree.LxmlError, ValueError) as error:
        raise RegistryError("broken") from error
    statuses = [UNANSWERED] * len(clients)
    parts, faults, is_answering = [range(len(clients))], 0, False
    while parts:
        part = parts.pop(0)
        try:
            answer = _ask(service, [clients[place] for place in part], day)
        except zeep.exceptions.Fault as error:
            faults += 1
            if not is_answering and (len(clients) == 1 or faults >= FAULTS_OF_ALL):
                raise RegistryError("server") from error
            if len(part) > 1 and faults < MOST_FAULTS:
                half = len(part) // 2
                parts += [part[:half], part[half:]]
            continue
        is_answering = True
        for place, status in zip(part, answer, strict=True):
            statuses[place] = status
    if not is_answering:
        raise RegistryError("server")
    return statuses


def _ask(service, clients, day):
    """One question about clients; see `check_clients`.

    :raise zeep.exceptions.Fault: if the service failed on it
    """
    questions = []
    for inn, kpp in clients:
        question = {"INN": inn, "DT": day.strftime("%d.%m.%Y")}
        # a sole entrepreneur has none, and is refused with one
        if kpp and len(inn) == 10:
            question["KPP"] = kpp
        questions.append(question)
    try:
        answer = service.NdsRequest2(NP=questions)
    except (RegistryError, zeep.exceptions.Fault):
        raise
    except (zeep.exceptions.Error, etree.LxmlError, ValueError) as error:
        raise RegistryError("broken") from error
    return read_states(clients, answer)


def read_states(clients, answer):
    """Give each client its answer; the service repeats whom it answers about.

    An organisation about which no KPP was asked is answered as if the KPP were wrong (3): then
    it is registered, and no more is known.
    """
    found = {
        (row["INN"], row["KPP"] or ""): str(row["State"])
        for row in getattr(answer, "NP", None) or ()
    }
    if clients and not found:
        raise RegistryError("broken")
    statuses = []
    for inn, kpp in clients:
        state = found.get((inn, kpp if len(inn) == 10 else ""))
        if state == "3" and not kpp:
            state = "2"
        statuses.append(STATES.get(state))
    return statuses
