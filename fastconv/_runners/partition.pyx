"""What runs a convolution or a pooling: partitioned into tasks for a team, each a pixel block of its map times a range
of its output channels.

Every partition gives the same bits, so it may follow the team: tasks of even cost, and enough of them that threads
which are done can help one whose core is slowed down. What a pixel block needs before its first channel range
(transforms, copies) a thread does anew only where its last task was of another pixel block; the weights come in for
every task.
"""

from libc.math cimport INFINITY

from fastconv._runners.finish cimport Finish
from fastconv._runners.queue cimport fc_fill_queue, fc_is_unfinished, fc_set_deadline
from fastconv._runners.runner cimport Arrays, Progress, Runner
from fastconv._runners.team cimport run_team, tick_of

cdef ptrdiff_t TASKS_PER_THREAD = 12  # enough for an even load when a core is slowed down
cdef double TASK_COST = 10_000  # to take a task, in multiply-adds
cdef double SPARE = 1.04  # how much longer than the shortest a finer partition may take


cdef class LoopNest(Runner):
    """The base of the steps, which know what pixel blocks and tasks cost, and how many there may be."""

    def __cinit__(self):
        if type(self) is LoopNest:
            raise TypeError("LoopNest is a base: it has nothing to run")

    def finish_with(self, Finish finish):
        """Have the tasks compute these functions of what they write: for runners of convolutions, before any run."""
        self.finish = finish

    def set_team(self, int threads, ptrdiff_t useful):
        """Partition the work for at most `threads`, of which `useful` pay: it runs with them from now on."""
        Runner.set_team(self, threads, useful)
        self.is_short = useful == 1
        self.partition = self.best_partition(self.team.size)
        self.memory = self.team.size * self.workspace_bytes

    cdef bint run_on(self, const Arrays *arrays, char *work, Progress *progress) noexcept nogil:
        """Run until all is done or the deadline has passed; whether all is done."""
        cdef Job job
        if not progress.begun:
            fc_fill_queue(&progress.queue, self.partition.tasks, self.team.size)
            progress.begun = True
        fc_set_deadline(&progress.queue, progress.deadline, tick_of(self.team))
        job.runner, job.work = <void *>self, Work(&progress.queue, 0, self.partition, arrays[0], work)
        run_team(self.team, _run_thread, &job)
        return not progress.queue.stopped

    def tasks(self, ptrdiff_t team):
        """How many tasks a team has."""
        return self.best_partition(team).tasks

    def expected_time(self, ptrdiff_t team):
        """What a team is expected to take, in multiply-adds of a thread: the time of the thread with the most tasks."""
        return self._time_of(self.best_partition(team))

    cdef Partition best_partition(self, ptrdiff_t team) noexcept:
        """The finest partition that takes a team little longer than the shortest, as far as a task's cost tells.

        One thread takes as few tasks as there can be.
        """
        cdef Partition best = Partition(team, self.pixel_blocks, 1, self.repeats * self.pixel_blocks)
        cdef Partition partition
        cdef ptrdiff_t max_tasks = max(team * TASKS_PER_THREAD // max(self.repeats, 1), self.pixel_blocks + team)
        cdef ptrdiff_t pixel_blocks, ranges
        cdef double min_time = INFINITY, time
        cdef bint is_picking
        if team > 1 and self.max_pixel_blocks * self.max_ranges > self.pixel_blocks:  # there is a choice
            for is_picking in range(2):  # the first round finds the least time, the second picks
                for pixel_blocks in range(self.pixel_blocks, min(max_tasks, self.max_pixel_blocks) + 1):
                    for ranges in range(1, min(max_tasks // pixel_blocks, self.max_ranges) + 1):
                        partition = Partition(team, pixel_blocks, ranges, self.repeats * pixel_blocks * ranges)
                        time = self._time_of(partition)
                        if not is_picking:
                            min_time = min(min_time, time)
                        elif time <= SPARE * min_time and partition.tasks >= best.tasks:
                            best = partition
        return best

    cdef double _time_of(self, Partition partition) noexcept:
        """What a thread's tasks take at most."""
        cdef ptrdiff_t tasks = (partition.tasks + partition.team - 1) // partition.team
        cdef ptrdiff_t pixel_blocks = (tasks + partition.ranges - 1) // partition.ranges
        if tasks % partition.ranges and partition.ranges % tasks:  # not all begin with a pixel block, or divide one
            pixel_blocks += 1
        cdef double prepare = pixel_blocks * self.pixel_block_time(partition.pixel_blocks)
        return tasks * (self.task_time(partition) + TASK_COST) + prepare

    cdef double pixel_block_time(self, ptrdiff_t pixel_blocks) noexcept:
        """What the largest of the pixel blocks takes before its first channel range, in multiply-adds."""
        return 0

    cdef double task_time(self, Partition partition) noexcept:
        """What the largest task of a partition takes for itself, in multiply-adds."""
        return 0

    cdef void run_tasks(self, const Work *work) noexcept nogil:
        """A thread's tasks; a subclass has this where they share more than a workspace, else `run_task`."""
        cdef ptrdiff_t task = take_task(work)
        while task >= 0:
            self.run_task(task, work)
            task = take_task(work)

    cdef void run_task(self, ptrdiff_t task, const Work *work) noexcept nogil:
        """One task: channel ranges come fastest, then pixel blocks."""


cdef struct Job:
    void *runner
    Work work


cdef bint _run_thread(void *what, int thread) noexcept nogil:
    """What a thread does, from its own copy of `work`: beside that the caller writes to its stack."""
    cdef Job *job = <Job *>what
    cdef Work own = job.work
    own.thread = thread
    own.workspace += thread * (<LoopNest>job.runner).workspace_bytes
    (<LoopNest>job.runner).run_tasks(&own)
    return fc_is_unfinished(own.queue)
