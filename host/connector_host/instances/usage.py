"""What relies on an instance, so that it is not taken away under it."""

from sqlalchemy import Connection, or_, select

from . import tables

__all__ = ["uses_of"]


def uses_of(connection: Connection, instance_id: str) -> list[str]:
    """Return what uses an instance, in words; an empty list when it may be removed."""
    runs, schedules = tables.runs, tables.schedules
    links, environments = tables.environment_replacements, tables.environments
    running = connection.execute(
        select(runs.c.what).where(runs.c.instance_id == instance_id, runs.c.state == "started")
    ).scalars()
    planned = connection.execute(select(schedules.c.what).where(schedules.c.instance_id == instance_id)).scalars()
    named = connection.execute(
        select(environments.c.name)
        .join_from(environments, links)
        .where(or_(links.c.instance_id == instance_id, links.c.replacement_id == instance_id))
        .distinct()
    ).scalars()
    return [
        *(f"a run of {what} that is under way" for what in running),
        *(f"a schedule of {what}" for what in planned),
        *(f'the environment "{name}"' for name in named),
    ]
