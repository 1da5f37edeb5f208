"""The customer's portal at 1,000,000 claims and as many orders: lists, records, 50 people at once.

A customer with 1,000 claims and 1,000 orders opens both lists in turns on one server with two
workers, through HTTP, as his browser does; ours may take 1.2 times as long as Odoo's. The numbers
of queries are those of the server's own log: lists at most 20, pages of one record at most 26, and
for the customer of 1,000 with a long discussion no more than for one of 20 with a short one. Then
50 customers, each with a session of his own, walk through list, search, claim, form, message and
filing at the same time; no answer may be an error.

The server gets a listening socket from outside, as systemd gives it (Odoo's *socket activation*)
and as a proxy in front would keep it. One that Odoo opens itself queues 8 connections a worker: of
50 customers who come to two workers at once the kernel would turn some away before Odoo hears of
them, on whatever page.
"""

import contextlib
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import claims
import interactions
import requests
from common import Benchmark
from interactions import multiply

ORDERS = 1_000_000
OWN = 1_000  # claims and orders of the one customer
CUSTOMERS, OWN_OF_EACH = 50, 20
MESSAGES = 30  # in the discussion of the customer with many
LIMIT = 1.2
QUEUE = 1024  # connections that wait for a worker
LIST_QUERIES, RECORD_QUERIES = 20, 26
ROUNDS = 3
REQUEST_LINE = re.compile(r'"(?:GET|POST) (\S+) HTTP/[\d.]+" (\d+) - (\d+) ')
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')
# what systemd does before it starts a service: the socket is number 3, and the environment says so
START = """
import os
import sys

if "gevent" not in sys.argv:
    os.dup2(int(os.environ["BENCH_SOCKET"]), 3)
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))

import odoo.cli

odoo.cli.main()
"""
FORM_KEY = re.compile(r'name="form_key" value="([^"]+)"')


# ------------------------------------------------------------
# DATA
# ------------------------------------------------------------


def create_customer(env, number):
    """A company with one contact who signs in with his address."""
    company = env["res.partner"].create({"name": f"Portal Company {number}", "is_company": True})
    contact = env["res.partner"].create(
        {
            "name": f"Portal Contact {number}",
            "parent_id": company.id,
            "email": f"portal{number}@example.com",
            "lang": "en_US",
            "tz": "Europe/Berlin",
        }
    )
    return (
        env["res.users"]
        .with_context(no_reset_password=True)
        .create(
            {
                "name": contact.name,
                "login": contact.email,
                "password": contact.email,
                "partner_id": contact.id,
                "group_ids": [(6, 0, [env.ref("base.group_portal").id])],
            }
        )
    )


def fill_orders(bench, product, first, count):
    origin = bench.env["sale.order"].create(
        {
            "partner_id": first,
            "order_line": [(0, 0, {"product_id": product.id, "product_uom_qty": 5})],
        }
    )
    origin.action_confirm()
    multiply(
        origin,
        bench.rows(ORDERS),
        name="'SO/BENCH/' || n",
        partner_id=f"{first} + n % {count}",
        partner_invoice_id=f"{first} + n % {count}",
        partner_shipping_id=f"{first} + n % {count}",
        access_token="md5(n::text)",  # made beforehand: Odoo's list would write them
        date_order="now() - n % 1000 * interval '1 day'",
    )


def hand_over(env, table, name, user, count, offset):
    """Give a customer so many of the claims or orders."""
    # ids of copies follow each other
    env.cr.execute(
        f"""
        UPDATE {table} SET {{}} WHERE id IN (
            SELECT id FROM {table} WHERE name LIKE %s ORDER BY id OFFSET %s LIMIT %s)
        """.format(
            "partner_id = %s, commercial_partner_id = %s"
            if table == "crm_claim"
            else "partner_id = %s, user_id = %s"
        ),
        [
            user.partner_id.id,
            user.commercial_partner_id.id if table == "crm_claim" else None,
            name,
            offset,
            count,
        ],
    )


def fill(bench):
    """Claims and orders of a large house, and our customers among them."""
    env = bench.env
    masters = claims.create_masters(env)
    claims.use_unaccented_indexes(env)
    tables = {*claims.BIG_TABLES, "sale_order"}
    env.cr.execute("SET LOCAL maintenance_work_mem = '256MB'")
    env["res.company"].search([]).write(
        {"portal_claims_per_hour": 10_000, "portal_messages_per_hour": 10_000}
    )
    with interactions.without_indexes(env.cr, tables):
        claims.fill(bench, *masters)
        env.cr.execute("SELECT min(id), count(*) FROM res_partner WHERE name LIKE 'Client %'")
        fill_orders(bench, masters[3][0], *env.cr.fetchone())
        users = [create_customer(env, number) for number in range(CUSTOMERS + 1)]
        env.flush_all()
        own = min(OWN, bench.rows(claims.CLAIMS) // 4)
        offset = 0
        for number, user in enumerate(users):
            count = OWN_OF_EACH if number else own
            for table, name in (("crm_claim", "CLM/BENCH/%"), ("sale_order", "SO/BENCH/%")):
                hand_over(env, table, name, user, count, offset)
            offset += count
        env.invalidate_all()
    env.cr.commit()
    for table in (*tables, "res_partner"):
        env.cr.execute(f"ANALYZE {table}")
    env.cr.commit()
    return [user.login for user in users]


# ------------------------------------------------------------
# SERVER AND CUSTOMERS
# ------------------------------------------------------------


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextlib.contextmanager
def serving(config, database):
    """``(address, log)`` of a server with two workers; the log has the number of queries."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "server.log")
        # a file to start from: the server starts its gevent process by the name of its own
        start = os.path.join(folder, "start.py")
        with open(start, "w", encoding="utf-8") as file:
            file.write(START)
        command = [sys.executable, "-W", "ignore", start, "server", "-c", config]
        command += ["-d", database, "--db-filter", f"^{database}$", "--http-port", str(port)]
        command += ["--gevent-port", str(free_port()), "--workers", "2", "--max-cron-threads", "0"]
        command += ["--limit-time-cpu", "600", "--limit-time-real", "1200"]  # 0 kills workers
        command += ["--http-interface", "127.0.0.1", "--logfile", log, "--log-level", "info"]
        with socket.create_server(("127.0.0.1", port), backlog=QUEUE) as listener:
            environment = {**os.environ, "BENCH_SOCKET": str(listener.fileno())}
            child = subprocess.Popen(
                command,
                start_new_session=True,
                pass_fds=[listener.fileno()],
                env=environment,
            )
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(child, f"{address}/web/login")
            yield address, log
        except Exception:
            with contextlib.suppress(OSError), open(log, encoding="utf-8") as lines:
                print("".join(lines.readlines()[-20:]))
            raise
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGTERM)
            child.wait(30)


def wait_for(child, url):
    for __ in range(120):
        if child.poll() is not None:
            raise RuntimeError(f"The server ended with {child.returncode}.")
        with contextlib.suppress(requests.RequestException):
            if requests.get(url, timeout=60).status_code == 200:
                return
        time.sleep(0.5)
    raise RuntimeError("The server did not answer within two minutes.")


class Customer:
    """A browser that is signed in."""

    def __init__(self, address, login):
        self.address = address
        self.session = requests.Session()
        page = self.session.get(f"{address}/web/login", timeout=300).text
        self.session.post(
            f"{address}/web/login",
            data={"csrf_token": CSRF.search(page)[1], "login": login, "password": login},
            timeout=300,
        ).raise_for_status()

    def get(self, path):
        response = self.session.get(f"{self.address}{path}", timeout=300)
        response.raise_for_status()
        if "/web/login" in response.url:
            raise RuntimeError(f"{path}: signed out")
        return response.text

    def post(self, path, **data):
        response = self.session.post(f"{self.address}{path}", data=data, timeout=300)
        response.raise_for_status()
        return response.text


def count_queries(log, customer, path):
    """Queries of one page as the server's log counts them, of the second time it is asked for."""
    for __ in range(3):  # both workers know the templates then
        customer.get(path)
    with open(log, encoding="utf-8") as lines:
        found = [match for line in lines if (match := REQUEST_LINE.search(line))]
    counts = [int(count) for asked, __, count in (m.groups() for m in found) if asked == path]
    return min(counts[-3:])


def file_claim(customer, step=lambda function, *args, **kwargs: function(*args, **kwargs)):
    form = step(customer.get, "/my/claims/new")
    if (token := CSRF.search(form)) and (key := FORM_KEY.search(form)):
        step(
            customer.post,
            "/my/claims/new",
            csrf_token=token[1],
            form_key=key[1],
            subject="Arrived broken",
            description="All of it",
            remedy="refund",
        )


def write_message(customer, claim, page, body, step=lambda function, *a, **kw: function(*a, **kw)):
    if token := CSRF.search(page):
        step(customer.post, f"{claim}/message", csrf_token=token[1], body=body)


def own_claim(customer):
    return re.search(r'href="(/my/claims/\d+)"', customer.get("/my/claims"))[1]


# ------------------------------------------------------------
# MEASURES
# ------------------------------------------------------------


def measure_lists(bench, customer):
    for path in ("/my/orders", "/my/claims"):
        for __ in range(6):
            customer.get(path)  # templates, bundles, both workers
    peer, ours = bench.medians(
        ("/my/orders, Odoo's", lambda: customer.get("/my/orders")),
        ("/my/claims", lambda: customer.get("/my/claims")),
        repeat=31,
    )
    bench.row("", f"{ours / peer:.2f}x", f"at most {LIMIT}x")
    for path in (
        "/my/claims?search=Drill",
        "/my/claims?groupby=state&sortby=promised",
        "/my/claims?filterby=waiting",
        "/my/claims/page/3",
        own_claim(customer),
        "/my/claims/new",
    ):
        bench.median(path, lambda path=path: customer.get(path), repeat=9)
    return ours, peer


def measure_queries(bench, log, many, few):
    sound = True
    for customer, messages in ((many, MESSAGES), (few, 1)):
        file_claim(customer)  # of one kind: what differs is how many there are
        claim = own_claim(customer)
        page = customer.get(claim)
        for number in range(messages):
            write_message(customer, claim, page, f"Word {number}")
    for path, limit in (
        ("/my", LIST_QUERIES),
        ("/my/claims", LIST_QUERIES),
        ("/my/claims?groupby=partner", LIST_QUERIES),
        ("/my/claims?search=Drill", LIST_QUERIES),
        ("claim", RECORD_QUERIES),
        ("/my/claims/new", RECORD_QUERIES),
    ):
        counts = []
        for customer in (many, few):
            real = own_claim(customer) if path == "claim" else path
            counts.append(count_queries(log, customer, real))
        holds = max(counts) <= limit and counts[0] <= counts[1] + 1
        sound = sound and holds
        bench.row(
            f"queries: {path}",
            f"{counts[0]} with many, {counts[1]} with few",
            f"at most {limit}: {'holds' if holds else 'falls short'}",
        )
    return sound


def measure_crowd(bench, log, customers):
    """All customers at once; every answer counts."""
    times, failures = [], []
    barrier = threading.Barrier(len(customers))

    def step(function, *args, **kwargs):
        started = time.perf_counter()
        try:
            return function(*args, **kwargs)
        except Exception as error:  # whatever it is, it counts
            failures.append(repr(error))
            return ""
        finally:
            times.append(time.perf_counter() - started)

    def walk(customer):
        claim = own_claim(customer)
        barrier.wait()
        for number in range(ROUNDS):
            step(customer.get, "/my/claims")
            step(customer.get, "/my/claims?search=Drill&groupby=state")
            page = step(customer.get, claim)
            write_message(customer, claim, page, f"Word {number}", step)
            file_claim(customer, step)

    threads = [threading.Thread(target=walk, args=(customer,)) for customer in customers]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    with open(log, encoding="utf-8") as lines:
        text = lines.read()
    broken = [m for m in REQUEST_LINE.findall(text) if m[1].startswith("5")]
    bench.row(
        f"{len(customers)} customers at once",
        f"{len(times)} requests in {seconds:.1f} s",
        f"{len(times) / seconds:.0f} a second",
    )
    bench.row(
        "",
        f"median {statistics.median(times):.2f} s",
        f"95th percentile {sorted(times)[int(len(times) * 0.95)]:.2f} s",
    )
    expected = len(customers) * ROUNDS * 6
    sound = not failures and not broken and len(times) == expected
    bench.row(
        "without an error",
        f"{len(failures)} failures, {len(broken)} answers 5xx of {expected}",
        "holds" if sound else f"falls short: {failures[:2]}",
    )
    return sound


def main(bench):
    config = sys.argv[sys.argv.index("--config") + 1]
    __, logins = bench.once("fill", lambda: fill(bench))
    with serving(config, bench.env.cr.dbname) as (address, log):
        many, *others = [Customer(address, login) for login in logins]
        ours, peer = measure_lists(bench, many)
        sound = measure_queries(bench, log, many, others[0])
        sound = measure_crowd(bench, log, others) and sound
    status = bench.verdict(ours, peer, limit=LIMIT)
    return status if sound else 1


if __name__ == "__main__":
    Benchmark.run("portal", main, peer="/my/orders")
