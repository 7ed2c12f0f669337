"""What dashboards list, over all boards at once: the SQL of it."""

from sqlmodel import col, func, select

from fleet.model import Deployment, Device, Module, Reading, Report, Rollout, Target


class Overview:
    """Part of `fleet.store.Store`."""

    def wanted(self):
        """{device: (module's name, version, seq)} of the newest order of every board."""
        newest = select(Deployment.device, func.max(Deployment.seq).label("seq")).group_by(Deployment.device).subquery()
        orders = select(Deployment.device, Module.name, Module.version, Deployment.seq).join(Module, Module.digest == Deployment.module)
        joined = orders.join(newest, (Deployment.device == newest.c.device) & (Deployment.seq == newest.c.seq))
        return {row[0]: tuple(row[1:]) for row in self.select(joined)}

    def stale_boards(self, states, reported_before, grace_s):
        """[(device, state, time and seq of its report, time and seq of its newest order)] of the boards in one of `states` whose last report is
        from before `reported_before`, or from more than `grace_s` after an order that it knows nothing of."""
        newest = select(Deployment.device, func.max(Deployment.seq).label("seq")).group_by(Deployment.device).subquery()
        order = (Deployment.device == newest.c.device) & (Deployment.seq == newest.c.seq)
        behind = (Report.seq < Deployment.seq) & (Report.received > Deployment.created + grace_s)
        facts = select(Device.id, Device.state, Report.received, Report.seq, Deployment.created, Deployment.seq)
        joined = facts.join(Report, Report.device == Device.id).join(newest, newest.c.device == Device.id, isouter=True)
        joined = joined.join(Deployment, order, isouter=True)
        return self.rows(joined.where(col(Device.state).in_(states), (Report.received < reported_before) | behind))

    def newest_rollouts(self, limit):
        """The newest `limit` rollouts and their modules as (Rollout, Module or None), newest first."""
        return self.rows(
            select(Rollout, Module).join(Module, Module.digest == Rollout.module, isouter=True).order_by(col(Rollout.id).desc()).limit(limit)
        )

    def target_counts(self, numbers):
        """{rollout: {state: boards}} of the rollouts `numbers`."""
        counted = select(Target.rollout, Target.state, func.count()).where(col(Target.rollout).in_(numbers)).group_by(Target.rollout, Target.state)
        found = {number: {} for number in numbers}
        for number, state, count in self.rows(counted):
            found[number][state] = count
        return found

    def newest_modules(self):
        """All signed modules, newest first."""
        return self.rows(select(Module).order_by(col(Module.created).desc(), Module.digest))

    def reading_start(self, count, device=None):
        """The id below the newest `count` readings; the newest id where there are none, or with a count of 0."""
        statement = select(Reading.id).order_by(col(Reading.id).desc())
        if device is not None:
            statement = statement.where(Reading.device == device)
        newest = self.rows(statement.limit(count)) if count else []
        return newest[-1] - 1 if newest else self.rows(select(func.max(Reading.id)))[0] or 0

    def latest_readings(self, among):
        """The newest `Reading` of each name of each board, among the newest `among` of all; by id."""
        recent = select(func.max(Reading.id).label("id")).where(Reading.id > self.reading_start(0) - among)
        newest = recent.group_by(Reading.device, Reading.name).subquery()
        return self.rows(select(Reading).join(newest, Reading.id == newest.c.id).order_by(Reading.id))
