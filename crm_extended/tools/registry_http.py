"""One careful HTTP request to a register: short, small, no detours. Plain Python.

Addresses come from settings that only administrators write. Still nothing is followed: a register
that answers by sending us elsewhere has failed.
"""

import json
import time

import requests

from .registry import RegistryError

# seconds to connect, and between two pieces of the answer
TIMEOUT = 10
# seconds for all of it
DEADLINE = 20
# an answer about one company has some ten kilobytes
MAX_BYTES = 4 * 1024 * 1024


def get_failure(status, retry_after=None):
    """What an HTTP status other than success means.

    :return: RegistryError
    """
    try:
        seconds = max(0, int(retry_after)) if retry_after else None
    except ValueError:
        seconds = None
    if status == 401:
        return RegistryError("unauthorized")
    if status in (402, 403):
        return RegistryError("quota", seconds)
    if status == 429:
        return RegistryError("rate", seconds)
    if status >= 500 or 300 <= status < 400:
        return RegistryError("server", seconds)
    return RegistryError("request")


def read_limited(response):
    """The body of a streamed response.

    :raise RegistryError: `broken` if it is too long, `timeout` if it drips
    """
    chunks, size = [], 0
    start = time.monotonic()
    for chunk in response.iter_content(65536):
        size += len(chunk)
        if time.monotonic() - start > DEADLINE:
            raise RegistryError("timeout")
        if size > MAX_BYTES:
            raise RegistryError("broken")
        chunks.append(chunk)
    return b"".join(chunks)


def post_json(url, body, headers):
    """Post JSON and read JSON.

    :param dict body: what is asked
    :param dict headers: with the key; they are neither logged nor part of an error
    :return: what was answered: dict
    :raise RegistryError: whatever goes wrong
    """
    try:
        with requests.post(
            url,
            json=body,
            headers=headers,
            timeout=TIMEOUT,
            allow_redirects=False,
            stream=True,
        ) as response:
            if response.status_code != 200:
                raise get_failure(response.status_code, response.headers.get("Retry-After"))
            content = read_limited(response)
    except (requests.ConnectionError, requests.Timeout) as error:
        raise RegistryError("timeout") from error
    except requests.RequestException as error:
        raise RegistryError("broken") from error
    try:
        answer = json.loads(content)
    except ValueError as error:
        raise RegistryError("broken") from error
    if not isinstance(answer, dict):
        raise RegistryError("broken")
    return answer
