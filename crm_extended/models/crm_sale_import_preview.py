import time
from collections import Counter
from decimal import Decimal

from markupsafe import Markup
from odoo import fields, models
from odoo.addons.crm_extended.tools import sales_file, sales_typing, sales_values
from odoo.tools import format_date, formatLang

PREVIEW_SECONDS = 20  # for each of the two passes; a bigger file is judged by its first rows
SHOWN_ROWS = 20
SHOWN_REFUSED = 10
STYLE_SAMPLE = 20_000  # values of each number column that may vote


class CrmSaleImport(models.Model):
    """Preview: what would happen to each row, before anything is written.

    Two passes over the file, each limited in time. The first one looks at dates and numbers to
    tell their style; the second one types every row exactly as the import will and counts the
    refusals. Clients and products are then looked up in the same way as by the import. For a file
    too big for the time limit the preview says how many rows it has seen.
    """

    _inherit = "crm.sale.import"

    # ------------------------------------------------------------------
    # words
    # ------------------------------------------------------------------

    def _get_reason_labels(self):
        """Map each reason of refusal to the words for it."""
        return {
            "broken_row": self.env._("The row cannot be split into columns (stray quote)"),
            "row_too_long": self.env._("The row or one of its cells is too long"),
            "columns": self.env._("More values than the header has columns"),
            "bad_characters": self.env._("Unreadable characters (wrong encoding?)"),
            "no_date": self.env._("No date"),
            "bad_date": self.env._("Not a date"),
            "future_date": self.env._("Date in the future"),
            "no_quantity": self.env._("No quantity"),
            "no_amount": self.env._("Neither amount nor price"),
            "bad_number": self.env._("Not a number"),
            "too_long": self.env._("Number or code is too long"),
            "unknown_currency": self.env._("Unknown currency"),
            "no_client": self.env._("No client"),
            "known_client": self.env._("A similar client is known: enter its number in the file"),
            "unknown_client": self.env._("Client not found"),
            "unknown_product": self.env._("Product not found"),
            "service": self.env._("A charge, not goods"),
        }

    def _describe_table_error(self, error):
        """Word an error of the file reader for the user, with the remedy."""
        details = error.details
        if error.code == "several_tables":
            return self.env._(
                "The archive holds %(count)s tables: %(names)s. Keep one in it, or name the one "
                "you want in the field Sheet.",
                **details,
            )
        if error.code == "no_sheet":
            return self.env._("The workbook has no sheet “%(name)s”; it has: %(names)s.", **details)
        if error.code == "too_big":
            return self.env._(
                "Unpacked, the file is larger than %(limit)s MB. Split it, by year for example.",
                **details,
            )
        if error.code == "bomb":
            return self.env._(
                "The file grows more than %(ratio)s times when it is unpacked; that is no table "
                "of sales. It was not read.",
                **details,
            )
        if error.code == "too_many_columns":
            return self.env._(
                "The table has %(count)s columns, at most %(limit)s can be read. Keep the columns "
                "of the sales only.",
                **details,
            )
        if error.code == "bad_encoding_name":
            return self.env._(
                "There is no encoding “%(name)s”. Try utf-8, cp1251, latin-1 or utf-16.", **details
            )
        return {
            "empty": self.env._("The file is empty."),
            "no_rows": self.env._("The file has a header but no rows below it."),
            "old_xls": self.env._(
                "This is a workbook of Excel 2003 or older (.xls). Save it as .xlsx or .csv."
            ),
            "not_a_table": self.env._(
                "This is no table. Choose a csv file, a zipped csv file or an xlsx workbook."
            ),
            "no_table": self.env._("The archive holds no csv file."),
            "encrypted": self.env._("The file is protected by a password. Remove it first."),
            "broken_archive": self.env._("The archive is damaged and cannot be unpacked."),
            "broken_xlsx": self.env._(
                "The workbook is damaged or not a real xlsx file. Open and save it again."
            ),
        }[error.code]

    # ------------------------------------------------------------------
    # styles
    # ------------------------------------------------------------------

    def _get_positions(self):
        """Return field -> position of its column in the file."""
        self.ensure_one()
        return {column.target: column.position for column in self.column_ids if column.target}

    def _guess_styles(self):
        """Set date order and decimal separator from all values, where the user has set none."""
        self.ensure_one()
        if self.date_style and self.decimal_separator:
            return
        at = self._get_positions()
        date_at = at.get("date")
        numbers_at = [
            at[name] for name in ("quantity", "price_unit", "amount", "discount") if name in at
        ]
        evidence = sales_values.DateEvidence()
        seen, numbers = set(), set()
        deadline = time.monotonic() + PREVIEW_SECONDS
        complete = True
        with self._open_file() as stream:
            for count, (_row_no, cells) in enumerate(
                sales_file.read_rows(stream, self._get_format())
            ):
                if isinstance(cells, sales_file.BrokenRow):
                    continue
                if count % 5000 == 0 and time.monotonic() > deadline:
                    complete = False
                    break
                if date_at is not None and date_at < len(cells):
                    value = cells[date_at]
                    if value not in seen and value not in (None, ""):
                        if len(seen) < STYLE_SAMPLE:
                            seen.add(value)
                        evidence.feed(value)
                if len(numbers) < STYLE_SAMPLE:
                    for position in numbers_at:
                        if position < len(cells) and isinstance(cells[position], str):
                            numbers.add(cells[position])
        values = {}
        if not self.decimal_separator:
            values["decimal_separator"] = sales_values.guess_decimal(numbers)
        if not self.date_style:
            values["date_style"] = evidence.style
            values["date_note"] = self._describe_dates(evidence, complete)
        self._set(**values)

    def _describe_dates(self, evidence, complete):
        scope = self.env._("in the whole file") if complete else self.env._("in the rows looked at")
        if evidence.style in ("ymd", "serial"):
            return self.env._("All dates are written the same way, no doubt about the order.")
        proof = evidence.first_over_12 if evidence.style == "dmy" else evidence.second_over_12
        if evidence.first_over_12 and evidence.second_over_12:
            return self.env._(
                "Careful: %(first)s dates have the day first and %(second)s the month first "
                "%(scope)s. Dates that do not fit are refused.",
                first=evidence.first_over_12,
                second=evidence.second_over_12,
                scope=scope,
            )
        if proof:
            return self.env._(
                "Guessed from %(proof)s dates with a day above 12 %(scope)s.",
                proof=proof,
                scope=scope,
            )
        return self.env._(
            "Careful: no date %(scope)s has a day above 12, so that the order of day and month is "
            "a guess. Please check it.",
            scope=scope,
        )

    # ------------------------------------------------------------------
    # preview
    # ------------------------------------------------------------------

    def _get_typer(self):
        """Return the object that types the rows of this file as its options say."""
        self.ensure_one()
        header_width = len(self.column_ids) if self.header_row else 0
        currencies = self.env["res.currency"].with_context(active_test=False).search([])
        return sales_typing.RowTyper(
            self._get_positions(),
            date_style=self.date_style or "ymd",
            decimal=self.decimal_separator or ".",
            today=fields.Date.context_today(self),
            currency=self.currency_id.name,
            currencies=[currency.name.upper() for currency in currencies],
            walk_in=self.no_client == "walk_in",
            client_order=self.client_match,
            product_order=self.product_match,
            width=header_width,
        )

    def _type_rows(self, stream):
        """Yield ``(row_no, cells, SalesRow or Refusal)`` for each row of the file."""
        typer = self._get_typer()
        for row_no, cells in sales_file.read_rows(stream, self._get_format()):
            if isinstance(cells, sales_file.BrokenRow):
                yield (
                    row_no,
                    [cells.excerpt],
                    sales_typing.Refusal(cells.reason, self._printable(cells.excerpt)[:128]),
                )
            else:
                yield row_no, cells, typer.type_row(cells)

    def _refresh_preview(self):
        """Check the file as the import would, and store what it would do as the preview."""
        self.ensure_one()
        self._guess_styles()
        facts = {
            "rows": 0,
            "complete": True,
            "refusals": Counter(),
            "shown": [],
            "amounts": Counter(),
            "returns": 0,
            "first": None,
            "last": None,
        }
        collector = sales_typing.KeyCollector()
        deadline = time.monotonic() + PREVIEW_SECONDS
        shown_refused = 0
        with self._open_file() as stream:
            for row_no, _cells, typed in self._type_rows(stream):
                if facts["rows"] % 5000 == 0 and time.monotonic() > deadline:
                    facts["complete"] = False
                    break
                facts["rows"] += 1
                if isinstance(typed, sales_typing.Refusal):
                    facts["refusals"][typed.reason] += 1
                    if facts["rows"] <= SHOWN_ROWS or shown_refused < SHOWN_REFUSED:
                        shown_refused += 1
                        facts["shown"].append((row_no, typed))
                    continue
                if facts["rows"] <= SHOWN_ROWS:
                    facts["shown"].append((row_no, typed))
                collector.add(typed)
                facts["amounts"][typed.currency] += typed.amount
                facts["returns"] += typed.is_return
                if facts["first"] is None or typed.date < facts["first"]:
                    facts["first"] = typed.date
                if facts["last"] is None or typed.date > facts["last"]:
                    facts["last"] = typed.date
        if not facts["rows"]:
            raise sales_file.TableError("no_rows")
        known = self._preview_keys(collector)
        for reason, count in known["refusals"].items():
            if count:
                facts["refusals"][reason] += count
        self._set(
            preview_rows=facts["rows"],
            preview_complete=facts["complete"],
            preview_html=self._render_preview(facts, known),
        )

    def _preview_keys(self, collector):
        """Look clients and products up as the import will, and forget the result again.

        :return: dict with found and missing counts, charges and the refusals they lead to
        """
        self._clear_stage()
        self._store_keys(collector)
        self._settle_keys()
        self._match_keys()
        keys = self.env["crm.sale.import.key"].sudo()  # waiting room, no access for users
        groups = keys._read_group(
            [("import_id", "=", self.id)],
            ["kind", "is_service", "matched_by"],
            ["__count", "row_count:sum"],
        )
        services = keys.search(
            [("import_id", "=", self.id), ("is_service", "=", True)], order="row_count desc"
        )
        result = {
            "client": {"found": 0, "missing": 0},
            "product": {"found": 0, "missing": 0},
            "services": services.mapped("ref")[:30],
            "refusals": Counter(),
        }
        for kind, is_service, matched_by, count, rows in groups:
            if is_service and self.services == "refuse":
                result["refusals"]["service"] += rows
                continue
            result[kind]["found" if matched_by else "missing"] += count
            if not matched_by and not self[f"create_{kind}s"]:
                # a row that lacks both is counted once by the import, by its client
                result["refusals"][f"unknown_{kind}"] += rows
        self._clear_stage()
        return result

    # ------------------------------------------------------------------
    # HTML
    # ------------------------------------------------------------------

    def _number(self, number, digits=0):
        return formatLang(self.env, float(number), digits=digits)

    def _render_preview(self, facts, known):
        refused = min(sum(facts["refusals"].values()), facts["rows"])
        scope = (
            self.env._(
                "The whole file was checked: %(rows)s rows.", rows=self._number(facts["rows"])
            )
            if facts["complete"]
            else self.env._(
                "The first %(rows)s rows were checked; the file has more.",
                rows=self._number(facts["rows"]),
            )
        )
        lines = [scope]
        if facts["first"]:
            lines.append(
                self.env._(
                    "Sales from %(first)s to %(last)s, %(returns)s of the rows are returns.",
                    first=format_date(self.env, facts["first"]),
                    last=format_date(self.env, facts["last"]),
                    returns=self._number(facts["returns"]),
                )
            )
            lines.append(
                self.env._(
                    "Amount of the good rows: %(amounts)s.",
                    amounts=", ".join(
                        f"{self._number(amount, 2)} {code}"
                        for code, amount in facts["amounts"].most_common(5)
                    ),
                )
            )
        lines += self._describe_keys(known)
        lines += self._describe_rates(facts)
        summary = Markup("<ul class='mb-2'>%s</ul>") % Markup().join(
            Markup("<li>%s</li>") % line for line in lines
        )
        head = Markup(
            "<div class='d-flex flex-wrap gap-3 mb-2'><span class='badge text-bg-success fs-6'>%s"
            "</span><span class='badge fs-6 %s'>%s</span></div>"
        ) % (
            self.env._("%(count)s good rows", count=self._number(facts["rows"] - refused)),
            "text-bg-warning" if refused else "text-bg-light",
            self.env._("%(count)s rows to be refused", count=self._number(refused)),
        )
        return (
            head
            + summary
            + self._render_refusals(facts["refusals"])
            + self._render_rows(facts["shown"])
        )

    def _describe_keys(self, known):
        words = {
            "client": (
                self.env._("Clients: %(found)s found, %(missing)s to be created."),
                self.env._("Clients: %(found)s found, %(missing)s unknown."),
            ),
            "product": (
                self.env._("Products: %(found)s found, %(missing)s to be created."),
                self.env._("Products: %(found)s found, %(missing)s unknown."),
            ),
        }
        lines = []
        for kind, (created, unknown) in words.items():
            counts = {name: self._number(count) for name, count in known[kind].items()}
            lines.append((created if self[f"create_{kind}s"] else unknown) % counts)
        if known["services"]:
            lines.append(
                self.env._(
                    "Charges, not goods: %(codes)s.",
                    codes=", ".join(code or "" for code in known["services"]),
                )
            )
        return lines

    def _describe_rates(self, facts):
        """Warn of currencies without any exchange rate: they would be booked one to one."""
        company_currency = self.company_id.currency_id
        currencies = (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search([("name", "in", list(facts["amounts"]))])
        )
        both = company_currency | currencies
        if len(both) < 2:
            return []
        rates = self.env["res.currency.rate"]._read_group(
            [
                ("currency_id", "in", both.ids),
                ("company_id", "in", (False, self.company_id.root_id.id)),
            ],
            ["currency_id"],
        )
        known = company_currency.union(*(currency for (currency,) in rates))
        return [
            self.env._(
                "Careful: there is no exchange rate for %(currency)s; its amounts would be taken "
                "for %(company_currency)s one to one. Enter rates first.",
                currency=currency.name,
                company_currency=company_currency.name,
            )
            for currency in currencies - known
        ]

    def _render_refusals(self, refusals):
        """Return a small table: reason, rows; empty when nothing was refused."""
        labels = self._get_reason_labels()
        if not refusals:
            return Markup()
        rows = Markup().join(
            Markup("<tr><td>%s</td><td class='text-end'>%s</td></tr>")
            % (labels.get(reason, reason), self._number(count))
            for reason, count in sorted(refusals.items(), key=lambda item: -item[1])
        )
        return Markup(
            "<table class='table table-sm w-auto'><thead><tr><th>%s</th>"
            "<th class='text-end'>%s</th></tr></thead><tbody>%s</tbody></table>"
        ) % (self.env._("Refused because"), self.env._("Rows"), rows)

    def _render_rows(self, shown):
        labels = self._get_reason_labels()
        heads = (
            self.env._("Row"),
            self.env._("Date"),
            self.env._("Document"),
            self.env._("Client"),
            self.env._("Product"),
            self.env._("Quantity"),
            self.env._("Amount"),
            self.env._("Problem"),
        )
        body = Markup()
        for row_no, typed in shown:
            if isinstance(typed, sales_typing.Refusal):
                problem = labels.get(typed.reason, typed.reason)
                if typed.detail:
                    problem = f"{problem}: {self._printable(typed.detail)[:60]}"
                body += Markup(
                    "<tr class='table-warning'><td>%s</td><td colspan='6'></td><td>%s</td></tr>"
                ) % (row_no, problem)
                continue
            client = " · ".join(filter(None, (typed.client.ref, typed.client.name)))
            product = " · ".join(filter(None, (typed.product.code, typed.product.name)))
            body += Markup(
                "<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td>"
                "<td class='text-end'>%s</td><td class='text-end'>%s</td><td></td></tr>"
            ) % (
                row_no,
                format_date(self.env, typed.date),
                typed.document,
                client or typed.client.vat or typed.client.email or self.env._("Walk-in"),
                product[:60],
                sales_values.plain(typed.quantity),
                self._number(typed.amount.quantize(Decimal("0.01")), 2),
            )
        return Markup(
            "<div class='table-responsive'><table class='table table-sm'><thead><tr>%s</tr></thead>"
            "<tbody>%s</tbody></table></div>"
        ) % (Markup().join(Markup("<th>%s</th>") % head for head in heads), body)
