"""Builds what serves the schedules of one kind of owner."""

from typing import NamedTuple

from shared.db import Database
from shared.schedules.controller.exceptions import ExceptionController, PauseController
from shared.schedules.controller.weeks import WorkhourController
from shared.schedules.owners import Owners
from shared.schedules.repository import ExceptionRepository
from shared.schedules.usecase.exceptions import Exceptions
from shared.schedules.usecase.pauses import Pauses
from shared.schedules.usecase.weeks import Workhours


class ScheduleControllers(NamedTuple):
    """The controllers of schedules, by resource."""

    workhours: WorkhourController
    exceptions: ExceptionController
    pauses: PauseController


def schedule_controllers(owners: Owners, database: Database) -> ScheduleControllers:
    """Return the controllers of the schedules that `owners` have in `database`."""
    return ScheduleControllers(
        WorkhourController(Workhours(owners)),
        ExceptionController(Exceptions(owners, ExceptionRepository(database))),
        PauseController(Pauses(owners)),
    )
