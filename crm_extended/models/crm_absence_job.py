from collections import Counter, defaultdict
from datetime import timedelta

from markupsafe import Markup
from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_datetime, ormcache

from ..tools.apart import run_apart
from ..tools.substitution import Cover, Period, find_holder
from .crm_absence import SYNC_LIMIT


class CrmAbsence(models.Model):
    """Work goes to who has to have it now.

    Whoever is away has a holder of his work: the last in the chain of substitutes (`_get_cover`).
    Each run brings reality in line with that, whatever has changed since the last one, so that it
    does not matter how often it runs, or when it was killed:

    1. What was handed over for somebody and is not with his holder goes there; for who is back
       that is himself. What is done, or was given to somebody by hand, is left where it is.
    2. What is due of somebody who is away, and has not been handed over, goes to his holder.

    A batch and its log are one transaction. Two runs share the work: a record is locked by the one
    that moves it. The job runs at the beginning and end of each absence, and every quarter of an
    hour for what becomes due meanwhile; entering an absence for now does the first part at once.
    """

    _inherit = "crm.absence"

    @api.model
    def _get_work_models(self):
        """Models with work that moves (see `crm.absence.work`), in the order of moving."""
        return ["crm.interaction", "mail.activity"]

    # ------------------------------------------------------------
    # WHO STANDS IN
    # ------------------------------------------------------------

    @api.model
    def _get_cover(self, now=None):
        """Who is away now, and who has the work meanwhile.

        :param datetime now: naive, UTC
        :return: dict (company id, user id) → Cover
        """
        now = now or fields.Datetime.now()
        current = [period for period in self._get_periods() if period.start <= now < period.stop]
        chosen, until = {}, {}
        for period in current:
            key = period.company, period.user
            chosen.setdefault(key, period)
            until[key] = max(until.get(key, period.stop), period.stop)
        links = defaultdict(dict)
        companies, users = self.env["res.company"], self.env["res.users"]
        for (company_id, user_id), period in chosen.items():
            substitute = users.browse(period.substitute)
            usable = substitute._can_substitute(companies.browse(company_id))
            links[company_id][user_id] = period.substitute if usable else None
        return {
            (company_id, user_id): Cover(
                find_holder(user_id, links[company_id]), period.absence, until[company_id, user_id]
            )
            for (company_id, user_id), period in chosen.items()
        }

    @api.model
    @ormcache()
    def _get_periods(self):
        """Absences that are not over, those with a substitute first, and those entered by hand.

        Kept by the server, because it is asked with every contact and by the record rules;
        whatever changes an absence clears it.
        """
        # sudo: everybody's work goes to who is there, whoever assigns it
        absences_sudo = self.sudo().search(
            [
                ("is_cancelled", "=", False),
                ("date_to", ">", fields.Datetime.now() - timedelta(days=7)),
            ],
            order="id desc",
        )
        return tuple(
            Period(
                absence.company_id.id,
                absence.user_id.id,
                absence.substitute_id.id or None,
                absence.date_from,
                absence.date_to,
                absence.id,
            )
            for absence in absences_sudo.sorted(
                lambda row: (not row.substitute_id, row.source != "manual")
            )
        )

    # ------------------------------------------------------------
    # JOB
    # ------------------------------------------------------------

    @api.model
    def _cron_absences(self, batch_size=500):
        """Bring the work to who has to have it."""
        cron = self.env["ir.cron"]
        now = fields.Datetime.now()
        self._import_leaves(now)
        self._announce(now)
        cron._commit_progress()
        while moved := self._move_batch(now, batch_size):
            self.env.flush_all()
            self.env.invalidate_all()
            cron._commit_progress(moved)
        self._tell_over(now)
        cron._commit_progress(remaining=0)

    def _apply(self):
        """These absences have changed: act at once, and see that the job runs in time.

        What is too much for one click is left to the job, which runs right after.
        """
        self.env.flush_all()
        # the rights of substitutes depend on it
        self.env.registry.clear_cache()
        now = fields.Datetime.now()
        # sudo: whoever may enter the absence has the work moved
        self_sudo = self.sudo()
        cron_sudo = self_sudo.env.ref("crm_extended.ir_cron_crm_absence", raise_if_not_found=False)
        moments = {
            moment for row in self_sudo for moment in (row.date_from, row.date_to) if moment > now
        }
        if cron_sudo:
            cron_sudo._trigger(at=[*moments] or None)
        self_sudo._announce(now)
        if self_sudo._move_batch(now, SYNC_LIMIT) >= SYNC_LIMIT and cron_sudo:
            cron_sudo._trigger()
        self_sudo._tell_over(now)

    @api.model
    def _move_batch(self, now, limit):
        """Move up to so many pieces of work.

        :return: how many rows of the log were dealt with
        """
        # sudo: the job moves everybody's work
        self_sudo = self.sudo()
        cover = self_sudo._get_cover(now)
        done = self_sudo._correct_transfers(cover, now, limit)
        for name in self_sudo._get_work_models():
            if done >= limit or not cover:
                break
            done += self_sudo._take_work(name, cover, now, limit - done)
        return done

    # ------------------------------------------------------------
    # WHAT WAS HANDED OVER
    # ------------------------------------------------------------

    @api.model
    def _correct_transfers(self, cover, now, limit):
        """Bring handed over work back, or on to the next substitute."""
        Transfer = self.env["crm.absence.transfer"]
        wrong, targets = [], {}
        for company, user, substitute in Transfer._read_group(
            [("state", "=", "open")], ["company_id", "user_id", "substitute_id"]
        ):
            found = cover.get((company.id, user.id))
            holder_id = found.holder if found else user.id
            if holder_id and holder_id != substitute.id:
                targets[company, user] = self.env["res.users"].browse(holder_id)
                wrong.append(
                    Domain("company_id", "=", company.id)
                    & Domain("user_id", "=", user.id)
                    & Domain("substitute_id", "=", substitute.id)
                )
        if not wrong:
            return 0
        transfers = Transfer.search(
            Domain("state", "=", "open") & Domain.OR(wrong), order="id", limit=limit
        ).try_lock_for_update()
        for (name, company, user, substitute), rows in transfers.grouped(
            lambda row: (row.res_model, row.company_id, row.user_id, row.substitute_id)
        ).items():
            self._correct_group(name, rows, user, substitute, targets[company, user], cover, now)
        return len(transfers)

    @api.model
    def _correct_group(self, name, transfers, user, substitute, target, cover, now):
        """Move what a substitute has for one user to `target`."""
        records = self._find_records(name, transfers)
        open_ids = set(
            records.filtered_domain(records._get_absence_open_domain()).ids if records else []
        )
        movable = transfers.browse()
        ended = defaultdict(transfers.browse)
        by_id = {record.id: record for record in records}
        for transfer in transfers:
            record = by_id.get(transfer.res_id)
            if record is None or record.id not in open_ids:
                ended["done"] |= transfer
            elif substitute not in record._get_absence_holders():
                ended["kept"] |= transfer
            else:
                movable |= transfer
        records = records.browse([row.res_id for row in movable])
        # what is one's own comes back in any case
        givable = records if target == user else records._filter_absence_givable(target)
        failed = run_apart(
            [(row, by_id[row.res_id]) for row in movable if by_id[row.res_id] in givable],
            lambda pairs: self._give(pairs, substitute, target),
            "Absences",
            env=self.env,
        )
        failures = transfers.browse([pair[0].id for pair, __ in failed])
        failures |= movable.filtered(lambda row: by_id[row.res_id] not in givable)
        ended["failed"] |= failures
        ended["returned" if target == user else "passed"] |= movable - failures
        for state, rows in ended.items():
            rows.write({"state": state, "date_end": now})
        self.env.flush_all()
        if target != user:
            self._log_transfers(
                [(by_id[row.res_id], user, target) for row in movable - failures],
                {user: (cover[transfers.company_id.id, user.id].absence, transfers.company_id.id)},
                now,
            )

    @api.model
    def _find_records(self, name, transfers):
        if name not in self.env:
            return transfers.browse()
        Model = self.env[name].with_context(active_test=False)
        records = Model.browse(transfers.mapped("res_id")).exists()
        return records.filtered("active") if "active" in Model._fields else records

    @api.model
    def _give(self, pairs, giver, taker):
        """Give the work of some pairs (transfer, record) to somebody."""
        records = pairs[0][1].browse([record.id for __, record in pairs])
        records._give_absence_work(giver, taker)
        self.env.flush_all()

    # ------------------------------------------------------------
    # WHAT IS DUE
    # ------------------------------------------------------------

    @api.model
    def _take_work(self, name, cover, now, limit):
        """Hand over what is due of those who are away, of one model."""
        Model = self.env[name]
        users, companies = self.env["res.users"], self.env["res.company"]
        due = [
            Model._get_absence_due_domain(
                users.browse(user_id), companies.browse(company_id), found.until
            )
            for (company_id, user_id), found in cover.items()
            if found.holder
        ]
        if not due:
            return 0
        # what has been handed over is not taken twice, nor what was given back by hand
        taken = self.env["crm.absence.transfer"]._search(
            Domain("res_model", "=", name)
            & (
                Domain("state", "=", "open")
                | (
                    Domain("state", "in", ("kept", "failed"))
                    & Domain("absence_id", "in", [found.absence for found in cover.values()])
                )
            )
        )
        records = Model.search(
            Domain.OR(due) & Domain("id", "not in", taken.subselect("res_id")),
            order="id",
            limit=limit,
        ).try_lock_for_update()
        several = Counter(user_id for __, user_id in cover)
        for (company_id, user_id), found in cover.items():
            user = users.browse(user_id)
            company = companies.browse(company_id)
            if not found.holder:
                continue
            mine = records.filtered(lambda row, user=user: user in row._get_absence_holders())
            if mine and several[user_id] > 1:
                # away from two companies, perhaps with two substitutes
                domain = Model._get_absence_due_domain(user, company, found.until)
                mine = Model.search(domain & Domain("id", "in", mine.ids))
            self._take_group(mine, user, company, found, now)
        return len(records)

    @api.model
    def _take_group(self, records, user, company, found, now):
        if not records:
            return
        holder = self.env["res.users"].browse(found.holder)
        givable = records._filter_absence_givable(holder)
        failed = run_apart(
            [(None, record) for record in givable],
            lambda pairs: self._give(pairs, user, holder),
            "Absences",
            env=self.env,
        )
        failures = records - givable | records.browse([pair[1].id for pair, __ in failed])
        owners = {user: (found.absence, company.id)}
        self._log_transfers([(record, user, holder) for record in records - failures], owners, now)
        self._log_transfers([(row, user, holder) for row in failures], owners, now, state="failed")

    @api.model
    def _log_transfers(self, moves, owners, now, state="open"):
        """Write the log.

        :param moves: list of (record, from, to)
        :param dict owners: user → (id of his absence, id of its company)
        """
        self.env["crm.absence.transfer"].create(
            [
                {
                    "absence_id": owners[user][0],
                    "company_id": owners[user][1],
                    "res_model": record._name,
                    "res_id": record.id,
                    "name": record._get_absence_name(),
                    "user_id": user.id,
                    "substitute_id": holder.id,
                    "date": now,
                    "date_end": state != "open" and now,
                    "state": state,
                }
                for record, user, holder in moves
            ]
        )

    # ------------------------------------------------------------
    # MESSAGES
    # ------------------------------------------------------------

    @api.model
    def _announce(self, now):
        """Tell substitutes, once, that an absence has begun; ask for one where there is none."""
        begun = self.sudo().search(
            [
                ("is_announced", "=", False),
                ("is_cancelled", "=", False),
                ("date_from", "<=", now),
                ("date_to", ">", now),
            ]
        )
        if not begun:
            return
        begun.is_announced = True
        self.env.registry.clear_cache()
        heads = begun.user_id._get_heads()
        cover = self._get_cover(now)
        for absence in begun:
            found = cover.get((absence.company_id.id, absence.user_id.id))
            holder = self.env["res.users"].browse(found.holder if found else None)
            if holder:
                absence._notify(holder, is_over=False)
                continue
            head = heads.get(absence.user_id) or absence.user_id
            localised = absence.with_context(lang=head.lang)
            absence.activity_schedule(
                "mail.mail_activity_data_todo",
                summary=localised.env._(
                    "Nobody stands in for %(user)s: choose a substitute", user=absence.user_id.name
                ),
                user_id=head.id,
            )

    @api.model
    def _tell_over(self, now):
        """Tell who is back, once, what happened to the work."""
        over = self.sudo().search(
            [
                ("is_over_told", "=", False),
                "|",
                ("is_cancelled", "=", True),
                ("date_to", "<=", now),
                # what is still to be moved is not told as moved
                ("transfer_ids", "not any", [("state", "=", "open")]),
            ]
        )
        if not over:
            return
        over.is_over_told = True
        self.env.registry.clear_cache()
        for absence in over:
            absence.activity_ids.unlink()
            if absence.transfer_ids:
                absence._notify(absence.user_id, is_over=True)

    def _notify(self, user, is_over):
        """One message about this absence to one person, in his language and by his clock."""
        self.ensure_one()
        absence = self.with_context(lang=user.lang or self.env.lang)
        name = self.user_id.name
        until = format_datetime(
            absence.env, self.date_to, tz=user.tz or self.user_id.tz or "UTC", dt_format="short"
        )
        if is_over:
            counts = dict(
                self.env["crm.absence.transfer"]._read_group(
                    [("absence_id", "=", self.id)], ["state"], ["__count"]
                )
            )
            subject = absence.env._("Back with you: %(count)s", count=counts.get("returned", 0))
            lines = [
                absence.env._("Came back to you: %(count)s", count=counts.get("returned", 0)),
                absence.env._("Done in your absence: %(count)s", count=counts.get("done", 0)),
                absence.env._(
                    "Given to colleagues by hand: %(count)s", count=counts.get("kept", 0)
                ),
            ]
        else:
            subject = absence.env._("You stand in for %(user)s", user=name)
            lines = [
                absence.env._(
                    "Until %(until)s you get what is due for %(user)s, and see the clients and "
                    "deals it is about.",
                    until=until,
                    user=name,
                )
            ]
            if self.note:
                lines.append(self.note)
        body = Markup().join(Markup("<p>%s</p>") % line for line in lines)
        body += Markup("<p>%s</p>") % absence._get_html_link(title=absence.display_name)
        absence.message_notify(partner_ids=user.partner_id.ids, subject=subject, body=body)
