# SPDX-License-Identifier: Apache-2.0
"""``sim.warehouse.control.precedence`` for one world in plain Python, slow and obvious; for tests.

There are no numbers here: each cell has a queue of those who are to stand in it, the present one
first. Who is at the front may enter, and who comes second may follow the first as the rules allow.
"""

from collections import defaultdict, deque
from collections.abc import Sequence

from sim.distances import Neighbours
from sim.warehouse.control.precedence import CAPACITY
from sim.warehouse.motion_reference import Robot
from sim.warehouse.rules import FORWARD, TURN_LEFT, TURN_RIGHT, WAIT, Following, Gait, Rules


class ExecutorReference:
    """Drives one world by what is committed to.

    Args:
        neighbours: ``[cells, 4]``.
        rules: of motion.
        robots: at rest.
    """

    def __init__(self, neighbours: Neighbours, rules: Rules, robots: Sequence[Robot]) -> None:
        self._neighbours, self._rules = neighbours, rules
        self._turning = rules.gait is Gait.TURNING
        self._seen = list(robots)
        self.ends = [(robot.cell, robot.heading) for robot in robots]
        """Cell and heading of each robot once it has done all."""
        self.lists: list[deque[int]] = [deque() for _ in robots]
        """The actions before each robot."""
        self.queues: defaultdict[int, deque[int]] = defaultdict(deque)
        """For each cell the robots that are to stand in it, the present one included."""
        for number, robot in enumerate(robots):
            self.queues[robot.cell].append(number)

    def notice(self, robots: Sequence[Robot]) -> None:
        """Take note of what the robots have finished; once before each tick.

        Raises:
            RuntimeError: a robot left a cell in which another one was to be.
        """
        for number, (before, now) in enumerate(zip(self._seen, robots, strict=True)):
            moved = now.cell != before.cell
            if moved and self.queues[before.cell].popleft() != number:
                raise RuntimeError(f"robot {number} was in cell {before.cell} out of turn")
            turned = self._turning and now.heading != before.heading
            if moved or turned:
                self.lists[number].popleft()
        self._seen = list(robots)

    def commands(self, robots: Sequence[Robot]) -> list[int]:
        """What each robot is told in this tick."""
        return [
            own[0] if own and self._may(number, own[0], robots) else WAIT
            for number, own in enumerate(self.lists)
        ]

    def _may(self, number: int, action: int, robots: Sequence[Robot]) -> bool:
        if self._is_turn(action):
            return True
        robot = robots[number]
        way = robot.heading if self._turning else action - 1
        target = int(self._neighbours[robot.cell, way])
        place = self.queues[target].index(number)
        front = robots[self.queues[target][0]]
        if place == 0:
            return True
        if place > 1 or front.cell != target:
            return False
        if self._rules.following is Following.STRAIGHT:
            drives = front.doing == FORWARD if self._turning else front.doing != WAIT
            front_way = front.heading if self._turning else front.doing - 1
            return drives and front_way == way and robot.progress < front.progress
        return self._rules.following is Following.TOGETHER

    def commit(self, plan: Sequence[Sequence[int]], steps: int) -> None:
        """Commit to the first steps of a plan, ``[N][S]``; cut where a list is full."""
        for step in range(steps):
            acting = [number for number, own in enumerate(plan) if own[step] != WAIT]
            if any(len(self.lists[number]) >= CAPACITY for number in acting):
                return
            for number in acting:
                self._append(number, plan[number][step])

    def commit_entries(self, robots: Sequence[int], cells: Sequence[int]) -> None:
        """Commit to entries of robots into cells; cut where a list has no room for one more."""
        for number, target in zip(robots, cells, strict=True):
            if len(self.lists[number]) + 3 > CAPACITY:
                return
            cell, heading = self.ends[number]
            way = self._neighbours[cell].tolist().index(target)
            if not self._turning:
                self._append(number, way + 1)
                continue
            turns = {0: [], 1: [TURN_RIGHT], 2: [TURN_RIGHT] * 2, 3: [TURN_LEFT]}
            for action in (*turns[(way - heading) % 4], FORWARD):
                self._append(number, action)

    def _append(self, number: int, action: int) -> None:
        self.lists[number].append(action)
        cell, heading = self.ends[number]
        if self._is_turn(action):
            self.ends[number] = cell, (heading + (1 if action == TURN_RIGHT else 3)) % 4
            return
        way = heading if self._turning else action - 1
        target = int(self._neighbours[cell, way])
        self.ends[number] = target, way
        self.queues[target].append(number)

    def _is_turn(self, action: int) -> bool:
        return self._turning and action != FORWARD

    def goals_left(self, goals: Sequence[Sequence[int]]) -> list[list[int]]:
        """``[N][K]`` what remains of the goals once all is done, -1 beyond the last."""
        left = []
        for robot, own, actions in zip(self._seen, goals, self.lists, strict=True):
            cell, heading, rest = robot.cell, robot.heading, deque(own)
            for action in actions:
                if self._is_turn(action):
                    heading = (heading + (1 if action == TURN_RIGHT else 3)) % 4
                    continue
                cell = int(self._neighbours[cell, heading if self._turning else action - 1])
                if rest and rest[0] == cell:
                    rest.popleft()
            left.append([*rest, *[-1] * (len(own) - len(rest))])
        return left
