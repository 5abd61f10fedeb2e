"""NumPy source of what runs tiles in generated modules: blocks on several threads at once."""

from __future__ import annotations

THREAD_HELPERS = {
    "_vdot": '''\
def _vdot(a, b, part=4096):
    """Return the sum of the products of two arrays' cells, in one thread.

    Those of BLAS would go on waiting for more, in the way of a tile's: it starts none for short
    rows.
    """
    a, b = a.reshape(-1), b.reshape(-1)
    whole = len(a) // part * part
    rest = np.dot(a[whole:], b[whole:])
    if not whole:
        return rest
    return np.vecdot(a[:whole].reshape(-1, part), b[:whole].reshape(-1, part)).sum() + rest
''',
    "_tile": '''\
def _tile(run, blocks, memory=(), work=1, products=False, rows=False, least=16, most=16):
    """Run a function on the blocks of a tile, several at once; return its sums over all blocks.

    In which chunks the blocks run, and in which order the sums of chunks are added, does not
    depend on the number of threads: the results do not.

    Args:
        run: a function of some blocks and buffers, which returns a tuple of its sums, or None.
        blocks: where the blocks start.
        memory: the shape and the type of each buffer.
        work: of a block, in additions of blocks.
        products: whether it calls BLAS, which then uses one thread: with more, and in other
            chunks, it would add up in another order.
        rows: whether what it calls there is products of rows alone, which gain nothing by threads
            where they are few: these would go on waiting for more, in other threads' way.
        least: the work that is worth a second thread.
        most: the number of chunks.
    """
    count = min(len(blocks), most)
    held = (products if count > 1 else rows) and _pool.hold_blas()
    try:
        if count < 2:
            return run(blocks, *(np.empty(shape, dtype) for shape, dtype in memory))
        ends = [len(blocks) * k // count for k in range(count + 1)]
        job = _Job(run, [blocks[ends[k]:ends[k + 1]] for k in range(count)], memory)
        if (products and not held) or len(blocks) * work < least:
            job.work()
        else:
            _pool.work(job, min(count, _threads()))
        job.wait()
    finally:
        if held:
            _pool.free_blas()
    first, *others = job.results()
    if first is None:
        return None
    sums = list(first)
    for each in others:
        for k, part in enumerate(each):
            sums[k] += part
    return sums


class _Job:
    """Chunks of a tile's blocks: the thread that is free next runs the next one."""

    def __init__(self, run, chunks, memory):
        self.run, self.memory = run, memory
        self.left = list(enumerate(chunks))[::-1]
        self.found, self.errors = [None] * len(chunks), {}
        self.open, self.lock, self.done = len(chunks), threading.Lock(), threading.Lock()
        self.done.acquire()

    def work(self):
        """Run chunks as long as there are any, in buffers of this thread's own."""
        buffers = None
        while True:
            try:
                number, blocks = self.left.pop()
            except IndexError:
                return
            try:
                if not self.errors:
                    if buffers is None:
                        buffers = [np.empty(shape, dtype) for shape, dtype in self.memory]
                    self.found[number] = self.run(blocks, *buffers)
            except BaseException as error:  # noqa: BLE001 - raised by the thread that called
                self.errors[number] = error
            with self.lock:
                self.open -= 1
                last = not self.open
            if last:
                self.done.release()

    def wait(self):
        """Wait until all threads are through, even if interrupted."""
        try:
            self.done.acquire()
        except BaseException as error:  # noqa: BLE001 - raised once all threads are through
            self.errors[-1] = error  # chunks that have not begun are left out
            self.done.acquire()

    def results(self):
        """Return what the chunks gave, in their order; raise the first one's error."""
        if self.errors:
            error = self.errors[min(self.errors)]
            self.errors = {}
            try:
                raise error
            finally:
                del error  # it holds this frame
        return self.found


class _Pool:
    """The threads of a process that wait for jobs, and the number of threads of its BLAS."""

    def __init__(self):
        self.blas, self.users = None, 0
        self.start()

    def start(self):
        """Start without threads, as a forked process does."""
        self.lock, self.jobs, self.size = threading.Lock(), queue.SimpleQueue(), 0
        if self.users:
            self.blas[1](self.before)
            self.users = 0

    def work(self, job, threads):
        """Work at a job in this thread, and in others if there are to be several."""
        with self.lock:
            while self.size < threads - 1:
                self.size += 1
                threading.Thread(target=self.serve, args=(self.jobs,), daemon=True).start()
        for _ in range(threads - 1):
            self.jobs.put((contextvars.copy_context(), job))  # NumPy's error state is in there
        job.work()

    def serve(self, jobs):
        """Work at one job after the other."""
        while True:
            context, job = jobs.get()
            context.run(job.work)
            del context, job

    def hold_blas(self):
        """Let BLAS use one thread until it is freed; return whether that can be done."""
        with self.lock:
            if self.blas is None:
                self.blas = _blas()
            if self.blas and not self.users:
                self.before = self.blas[0]()
                self.blas[1](1)
            self.users += bool(self.blas)
            return bool(self.blas)

    def free_blas(self):
        """Let BLAS use its threads again unless another tile is running."""
        with self.lock:
            self.users -= 1
            if not self.users:
                self.blas[1](self.before)


def _blas():
    """Return the functions that get and set how many threads BLAS uses; () if they are unknown."""
    path = getattr(np._core._multiarray_umath, "__file__", None)
    library = path and ctypes.PyDLL(path)  # finds what the libraries below it define
    for name in ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads"):
        if library and hasattr(library, name.format("set")):
            return getattr(library, name.format("get")), getattr(library, name.format("set"))
    return ()


def _shared():
    """Return the pool of all generated modules of this process."""
    pool = sys.modules.setdefault("_loopc_pool_1", _Pool())
    if not hasattr(pool, "before"):
        pool.before = 1
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=pool.start)
    return pool


_pool = _shared()


def _threads():
    """Return how many threads may run: the module's number, LOOPC_THREADS, or the processors."""
    given = THREADS or int(os.environ.get("LOOPC_THREADS") or 0)
    if given:
        return given
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
''',
}
