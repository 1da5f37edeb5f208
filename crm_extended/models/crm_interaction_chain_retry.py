import re
from datetime import timedelta

import pytz
from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_datetime

from ..tools.retry_ladder import get_next_attempt
from ..tools.time_zone import find_time_zone


class CrmInteractionChain(models.Model):
    """What follows an attempt to reach a client.

    An outcome that does not reach the client plans the next call by the ladder of the outcome,
    inside the calling window and by the clock of the client; after the last rung the document
    decides (`_interaction_give_up`). If the document refuses (a sale process forbids the stage,
    the deal cannot be handed over), the outcome stays recorded and the responsible gets a
    to-do that says why.

    An agreed call is planned at the agreed time, which lies in the calling window unless the
    client wants it otherwise. A wrong number is marked; the call to another number follows as
    soon as the window allows, and if there is none, somebody has to find one.
    """

    _inherit = "crm.interaction.chain"

    def _follow_attempt(self, attempt, now, callback=None, phone=None):
        """Plan what follows an attempt.

        :param attempt: the crm.interaction with its outcome
        :param datetime now: naive, UTC
        :param datetime callback: agreed moment of the next call (naive, UTC)
        :param str phone: another number, for an outcome that asks for it
        """
        outcome = attempt.outcome_id
        if outcome.reached:
            self._get_phone_owner_sudo()._clear_wrong_phone()
        if outcome.question == "callback":
            self._cancel_retries()
            self._plan_call(attempt, callback, subject=self.env._("Call back as agreed"))
        elif outcome.reached:
            self._cancel_retries()
        elif outcome.question == "number":
            self._replace_number(attempt, phone, now)
        else:
            self._plan_retry(attempt, now)

    def _get_follow_up_action(self, outcome):
        """Dialog that an outcome opens after it has been recorded, or None."""
        document = self._get_document()
        if outcome.question != "lost" or document is None or not document.has_access("write"):
            return None
        return document._get_interaction_lost_action()

    # ------------------------------------------------------------
    # LADDER
    # ------------------------------------------------------------

    def _plan_retry(self, attempt, now):
        """Plan the call that follows an attempt, or give up after the last one."""
        if not self._is_open_for_attempts():
            return
        moment = self._get_next_attempt(attempt.outcome_id, attempt.attempt_number, now)
        if moment is None:
            self._cancel_retries()
            self._give_up(attempt, now)
            return
        number = attempt.attempt_number + 1
        self._plan_call(
            attempt,
            moment,
            subject=self.env._("Call again (attempt %(number)s)", number=number),
            attempt_number=number,
        )

    def _is_open_for_attempts(self):
        """Whether calls about the document of this chain still make sense."""
        document_sudo = self.sudo()._get_document()
        return document_sudo is None or document_sudo._is_interaction_open()

    def _plan_call(self, attempt, moment, subject, user=None, attempt_number=0):
        """Plan a call that follows an attempt.

        :param datetime moment: naive, UTC
        :param user: who calls; by default the responsible for the conversation
        :param int attempt_number: which attempt it is, for a call that the ladder has planned
        :return: the crm.interaction
        """
        user = user or self.sudo().user_id or self.env.user
        # sudo: the call is for whoever is responsible, also if a colleague has made this attempt
        return (
            self.env["crm.interaction"]
            .sudo()
            ._internal()
            .create(
                {
                    **self._prepare_attempt_values(),
                    "subject": subject,
                    "state": "planned",
                    "date_start": moment,
                    "user_id": user.id,
                    "parent_id": attempt.id,
                    "attempt_number": attempt_number,
                }
            )
            .sudo(self.env.su)
        )

    def _get_client_window(self, now):
        """When the client of this conversation may be called.

        :param datetime now: naive, UTC
        :return: (CallingWindow, time zone)
        """
        # a conversation about nothing in particular follows the client's own rules
        owner_sudo = self._get_phone_owner_sudo()
        if owner_sudo:
            return owner_sudo._get_client_window(now)
        # sudo: as for the owner of the number
        company = self.sudo().company_id or self.env.company
        name, _source = find_time_zone(
            phone=self._get_participant_phone(),
            country_code=company.country_id.code,
            default=company.partner_id.tz or company.resource_calendar_id.tz,
        )
        return company._get_calling_window(now), pytz.timezone(name)

    def _get_participant_phone(self):
        """Number of somebody who takes part in a conversation and is not known as a client."""
        self.ensure_one()
        # sudo: as for the owner of the number
        participants_sudo = self.sudo().interaction_ids.participant_ids
        return next((line.phone for line in participants_sudo if line.phone), False)

    def _get_next_attempt(self, outcome, attempts, now):
        """When the client is called again; None after the last rung of the ladder.

        :param int attempts: attempts made since the last reached contact
        :param datetime now: naive, UTC
        :raise UserError: if the working schedule leaves no day on which to call
        """
        delays = [retry._get_timedelta() for retry in outcome.retry_ids]
        window, zone = self._get_client_window(now)
        try:
            # a planned call is listed by the minute
            return get_next_attempt(_to_minute(now), attempts, delays, window, zone)
        except ValueError as error:
            raise self._get_no_open_day_error() from error

    def _get_next_open(self, now):
        """First moment at which the client may be called (naive, UTC)."""
        window, zone = self._get_client_window(now)
        try:
            return window.move_into(_to_minute(now), zone)
        except ValueError as error:
            raise self._get_no_open_day_error() from error

    def _get_no_open_day_error(self):
        return UserError(
            self.env._(
                "The working schedule of %(company)s leaves no day within a year on which the "
                "client could be called: correct its working days and public holidays.",
                company=(self.sudo().company_id or self.env.company).name,
            )
        )

    def _cancel_retries(self):
        """Cancel the calls that the ladder has planned: they are no longer needed."""
        if not self:
            return
        # sudo: also those that are planned for a colleague
        retries_sudo = (
            self.env["crm.interaction"]
            .sudo()
            .search(
                [
                    ("chain_id", "in", self.ids),
                    ("attempt_number", ">", 0),
                    ("state", "in", ("planned", "postponed")),
                ]
            )
        )
        if retries_sudo:
            retries_sudo.write({"state": "cancelled"})

    # ------------------------------------------------------------
    # AFTER THE LAST ATTEMPT
    # ------------------------------------------------------------

    def _give_up(self, attempt, now):
        """Do what the outcome wants to happen after the last attempt, as far as possible."""
        outcome = attempt.outcome_id
        document = self._get_document()
        try:
            with self.env.cr.savepoint():
                if outcome.final_action == "user":
                    self._hand_over_call(attempt, now)
                if document is not None:
                    document._interaction_give_up(outcome)
        except UserError as error:
            self._report_refused(
                attempt,
                self.env._("Could not be reached: decide what to do"),
                self.env._(
                    "“%(action)s” was not possible: %(reason)s",
                    action=outcome._get_final_action_label(),
                    reason=error.args[0],
                ),
            )

    def _hand_over_call(self, attempt, now):
        """Plan the next call for the user to whom the outcome hands over."""
        user_sudo = attempt.outcome_id.final_user_id.sudo()
        company = self.sudo().company_id or self.env.company
        if not user_sudo.active or company not in user_sudo.company_ids:
            raise UserError(
                self.env._(
                    "%(user)s does not work for %(company)s.",
                    user=user_sudo.name,
                    company=company.name,
                )
            )
        if attempt.user_id.id == user_sudo.id:
            raise UserError(self.env._("it is already with %(user)s.", user=user_sudo.name))
        self._plan_call(
            attempt,
            self._get_next_open(now),
            subject=self.env._("Call (handed over: not reached so far)"),
            user=user_sudo.sudo(False),
            attempt_number=attempt.attempt_number + 1,
        )

    def _report_refused(self, attempt, summary, reason):
        """Leave a to-do on the document, which says what could not be done and why.

        :param str summary: what is to be done
        :param str reason: why it is left to a person
        """
        document = self._get_document()
        user = self.sudo().user_id or attempt.user_id
        if document is not None and "activity_ids" in document._fields:
            # sudo: whoever recorded the outcome on a call need not have the deal in hand
            document.sudo().with_context(mail_activity_quick_update=True).activity_schedule(
                "mail.mail_activity_data_todo", summary=summary, note=reason, user_id=user.id
            )
        else:
            self._plan_todo(attempt, f"{summary}. {reason}")

    def _plan_todo(self, attempt, subject):
        """Plan something in this conversation that is not a call, due at once."""
        user = self.sudo().user_id or attempt.user_id
        # sudo: as for the next call
        self.env["crm.interaction"].sudo().create(
            {
                **self._prepare_attempt_values(),
                "kind": "other",
                "direction": "none",
                "subject": subject,
                "state": "planned",
                "date_start": attempt.date_start,
                "user_id": user.id,
                "parent_id": attempt.id,
            }
        )

    # ------------------------------------------------------------
    # AGREED CALL
    # ------------------------------------------------------------

    def _check_callback(self, callback, agreed, now):
        """The agreed moment of the next call, checked.

        :param callback: a naive datetime in UTC, or its string
        :param bool agreed: the client wants it outside the calling hours
        :return: naive datetime in UTC
        """
        try:
            moment = fields.Datetime.to_datetime(callback or None)
        except (ValueError, TypeError, AttributeError) as error:
            raise UserError(
                self.env._(
                    "“%(value)s” is not a date and time: say when to call back.", value=callback
                )
            ) from error
        if not moment:
            raise UserError(self.env._("Say when to call back."))
        if moment < now:
            raise UserError(
                self.env._("The time to call back has passed already: choose one to come.")
            )
        window, zone = self._get_client_window(moment)
        if not agreed and not window.contains(moment, zone):
            raise UserError(
                self.env._(
                    "%(time)s by the clock of the client is outside the calling hours. Choose "
                    "another time, or confirm that the client wants to be called then.",
                    time=format_datetime(self.env, moment, tz=zone.zone, dt_format="short"),
                )
            )
        return moment

    # ------------------------------------------------------------
    # WRONG NUMBER
    # ------------------------------------------------------------

    def _get_phone_owner_sudo(self):
        """The document or client under whose number this conversation is held, or an empty one."""
        # sudo: whoever was asked to call need not have the deal in hand
        chain_sudo = self.sudo()
        document_sudo = chain_sudo._get_document()
        return chain_sudo.partner_id if document_sudo is None else document_sudo

    def _check_number(self, phone):
        """Another number to call, checked; empty if none is known."""
        phone = (phone or "").strip()
        if not phone:
            return ""
        if len(re.sub(r"\D", "", phone)) < 5 or re.search(r"[^\d\s()+./#*x-]", phone):
            raise UserError(
                self.env._("“%(phone)s” is not a phone number: correct it.", phone=phone)
            )
        owner_sudo = self._get_phone_owner_sudo()
        if owner_sudo and owner_sudo._is_same_phone(phone, owner_sudo._get_interaction_phone()):
            raise UserError(
                self.env._(
                    "“%(phone)s” is the number that was wrong: enter another one, or none.",
                    phone=phone,
                )
            )
        return phone

    def _replace_number(self, attempt, phone, now):
        """Mark the number as wrong; call another one, or have one found."""
        self._cancel_retries()
        owner_sudo = self._get_phone_owner_sudo()
        owner_sudo._mark_wrong_phone()
        if not self._is_open_for_attempts():
            return
        if phone and owner_sudo:
            try:
                with self.env.cr.savepoint():
                    # with the rights of the user, who may not be allowed to change the client
                    owner_sudo.with_env(self.env)._set_interaction_phone(phone)
            except UserError as error:
                self._report_refused(
                    attempt,
                    self.env._("Enter the client's new number: %(phone)s", phone=phone),
                    error.args[0],
                )
        if phone:
            self._plan_call(
                attempt,
                self._get_next_open(now),
                subject=self.env._("Call the new number %(phone)s", phone=phone),
                attempt_number=attempt.attempt_number + 1,
            )
        elif attempt.outcome_id.final_action != "none":
            self._give_up(attempt, now)
        else:
            self._plan_todo(attempt, self.env._("Find the client's right phone number"))


def _to_minute(moment):
    """The next full minute."""
    return moment + timedelta(seconds=-moment.second % 60)
