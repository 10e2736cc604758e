"""Scripts that watch models of PyTorch, for whichever version runs them: each holds itself to what it should see."""

from __future__ import annotations

BEGIN = """
import copy, io, json, math, os, pickle, sys
import numpy, torch, steplog
from torch import nn

torch.manual_seed(0)

def histograms(run, kind=""):
    # Of the last complete row.
    row = list(run.history)[-1]
    flat = {}
    for part in ("gradients", "parameters"):
        for key, value in row.items():
            if key.startswith(part + "/" + kind):
                flat[key] = value
    return flat

def same(histogram, numbers):
    numbers = numpy.asarray(numbers, dtype=numpy.float64).reshape(-1)
    numbers = numbers[numpy.isfinite(numbers)]
    counts, edges = numpy.histogram(numbers, 64)
    assert histogram["_type"] == "histogram"
    assert len(histogram["values"]) == 64 and sum(histogram["values"]) == len(numbers), histogram
    assert numpy.allclose(histogram["bins"], edges, rtol=1e-5, atol=1e-7), (histogram["bins"], edges)
    # A number on an edge may be rounded into the next bin.
    moved = numpy.abs(numpy.cumsum(histogram["values"]) - numpy.cumsum(counts)).max()
    assert moved <= max(1, len(numbers) // 1000), (histogram["values"], counts.tolist())

def refused(error, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except error as refusal:
        return str(refusal)
    raise AssertionError("it was not refused")

def net():
    return nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 1))

def step(run, model, *inputs):
    loss = model(*(inputs or (torch.randn(8, 20),))).pow(2).mean()
    loss.backward()
    run.log({"loss": loss})
"""

TRAINING = f"""
{BEGIN}
model, optimizer = net(), None
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
with steplog.init(project="p", id="a") as run:
    run.watch(model, log="all", log_freq=3)
    for batch in range(7):
        before = [parameter.detach().clone() for parameter in model.parameters()]
        optimizer.zero_grad()
        # What is evaluated in between is no batch.
        with torch.no_grad():
            model.eval()
            model(torch.randn(8, 20))
            model.train()
        at = run.step
        loss = model(torch.randn(8, 20)).pow(2).mean()
        loss.backward()
        # They are in the open row.
        assert run.step == at
        optimizer.step()
        run.log({{"loss": loss}})
        found = histograms(run)
        names = [name for name, _ in model.named_parameters()]
        expected = [f"{{kind}}/{{name}}" for kind in ("gradients", "parameters") for name in names]
        assert sorted(found) == sorted(expected if batch in (2, 5) else []), (batch, sorted(found))
        if found:
            for (name, parameter), value in zip(model.named_parameters(), before):
                same(found[f"gradients/{{name}}"], parameter.grad)
                same(found[f"parameters/{{name}}"], value)
"""

CHOICES = f"""
{BEGIN}
model = net()
assert "You must call steplog.init()" in refused(steplog.Error, steplog.watch, model)
with steplog.init(project="p", id="a") as run:
    for log in ("gradient", "", True, 1):
        assert "not one of 'gradients', 'parameters', 'all' and None" in refused(ValueError, run.watch, model, log=log)
    assert "not a torch.nn.Module" in refused(TypeError, run.watch, [model, torch.ones(2)])
    assert "not a torch.nn.Module" in refused(TypeError, run.watch, model.parameters())
    for log_freq in (0, -1, 1.5, True):
        assert "log_freq" in refused(ValueError, run.watch, model, log_freq=log_freq)
    # Nothing of these is left in the model.
    assert not model._forward_hooks and not any(parameter._backward_hooks for parameter in model.parameters())

    kinds = {{"gradients": ["gradients"], "parameters": ["parameters"], "all": ["gradients", "parameters"], None: []}}
    for log, expected in kinds.items():
        run.watch(model, log=log, log_freq=1)
        step(run, model)
        assert sorted({{key.split("/")[0] for key in histograms(run)}}) == expected, log
        assert "is watched already" in refused(ValueError, run.watch, model)
        run.unwatch(model)
        step(run, model)
        assert histograms(run) == {{}}
        assert not model._forward_hooks and not any(parameter._backward_hooks for parameter in model.parameters())

    # The defaults: gradients, every thousandth batch.
    steplog.watch(model)
    for _ in range(1000):
        assert histograms(run) == {{}}
        model(torch.ones(1, 20)).sum().backward()
    run.log({{"x": 1}})
    assert sorted({{key.split("/")[0] for key in histograms(run)}}) == ["gradients"]
    steplog.unwatch()

    first, second, third = net(), net(), net()
    run.watch([first, second], log="all", log_freq=1)
    run.watch(third, log_freq=1, idx=7)
    for one in (first, second, third):
        step(run, one)
        prefix = {{id(first): "", id(second): "graph_1.", id(third): "graph_7."}}[id(one)]
        assert f"gradients/{{prefix}}0.weight" in histograms(run), histograms(run).keys()
        assert all(key.split("/")[1].startswith(prefix) for key in histograms(run))
    run.unwatch([first, third])
    step(run, first)
    assert histograms(run) == {{}}
    step(run, second)
    assert len(histograms(run)) == 8
    # A number that is taken is not given again.
    fourth = net()
    run.watch(fourth, log_freq=1)
    step(run, fourth)
    assert all(key.startswith("gradients/graph_2.") for key in histograms(run)), histograms(run).keys()
    # What watches a model does not keep it.
    import gc, weakref
    gone = weakref.ref(fourth)
    del fourth, one
    gc.collect()
    assert gone() is None
    for variable in ("STEPLOG_WATCH", "WANDB_WATCH"):
        os.environ[variable] = "false"
        off = net()
        run.watch(off, log="all", log_freq=1)
        step(run, off)
        assert histograms(run) == {{}}
        del os.environ[variable]

# Watching ends with the run, and the next may begin.
step_alone = lambda: second(torch.randn(8, 20)).sum().backward()
step_alone()
step_alone()
with steplog.init(project="p", id="b") as run:
    run.watch(second, log_freq=1)
    step(run, second)
    assert sorted(histograms(run)) == sorted(f"gradients/{{name}}" for name, _ in second.named_parameters())
assert "the run is finished" in refused(steplog.Error, run.watch, net())
step_alone()
assert not any(parameter._backward_hooks for parameter in second.parameters())
with steplog.init(project="p", mode="disabled") as run:
    run.watch(first, log="all", log_freq=1)
    assert not first._forward_hooks
"""

NUMBERS = f"""
{BEGIN}
from steplog import _watch

class Odd(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(50, 4, sparse=True)
        self.small = nn.Parameter(torch.randn(100).half())
        self.brain = nn.Parameter(torch.randn(100).bfloat16())
        self.wide = nn.Parameter(torch.randn(100).double())
        self.plane = nn.Parameter(torch.randn(100, dtype=torch.complex64))
        self.counter = nn.Parameter(torch.arange(10), requires_grad=False)
        self.frozen = nn.Parameter(torch.randn(10), requires_grad=False)
        self.equal = nn.Parameter(torch.full((5,), 0.25))
        self.empty = nn.Parameter(torch.ones(0))
        self.scalar = nn.Parameter(torch.tensor(3.0))
        self.turned = nn.Parameter(torch.randn(6, 7).t())
        self.unused = nn.Parameter(torch.ones(3))
        self.first = nn.Linear(4, 4)
        self.second = self.first

    def forward(self, indices):
        x = self.second(self.first(self.embedding(indices))).sum()
        real = (self.plane * self.plane.conj()).real.sum()
        others = (self.small.float() ** 2).sum() + (self.brain.float() ** 2).sum() + (self.wide ** 2).sum()
        return x + real + others + self.equal.sum() + self.empty.sum() + self.scalar ** 2 + (self.turned ** 3).sum()

model = Odd()
with steplog.init(project="p", id="a") as run:
    run.watch(model, log="all", log_freq=1)
    values = {{name: parameter.detach().clone() for name, parameter in model.named_parameters()}}
    loss = model(torch.tensor([1, 1, 7]))
    loss.backward()
    run.log({{"loss": loss}})
    found = histograms(run)
    # What is shared is one parameter, under its first name.
    assert set(found) == {{
        *(f"parameters/{{name}}" for name in values if name != "empty"),
        *(f"gradients/{{name}}" for name, parameter in model.named_parameters()
          if parameter.requires_grad and name not in ("empty", "unused")),
    }}
    assert "parameters/first.weight" in found and "parameters/second.weight" not in found
    def plain(tensor):
        tensor = tensor.detach()
        tensor = tensor.to_dense() if tensor.is_sparse else tensor
        return (tensor.abs() if tensor.is_complex() else tensor.double()).numpy()
    for key, histogram in found.items():
        kind, name = key.split("/")
        parameter = dict(model.named_parameters())[name]
        same(histogram, plain(values[name] if kind == "parameters" else parameter.grad))
    assert sum(found["gradients/embedding.weight"]["values"]) == 200
    assert found["parameters/equal"]["bins"][0] == -0.25 and found["parameters/equal"]["bins"][64] == 0.75
    run.unwatch()

    # What is not finite is not counted, and what has nothing else has no histogram.
    model = nn.Linear(3, 1, bias=False)
    for numbers in ([math.nan, 1, 2], [math.inf, -math.inf, 5], [math.nan] * 3, [1e38, -3e38, 3e38]):
        run.watch(model, log="parameters", log_freq=1)
        with torch.no_grad():
            model.weight.copy_(torch.tensor([numbers]))
        step(run, model, torch.ones(1, 3))
        found = histograms(run)
        finite = [number for number in numbers if math.isfinite(number)]
        assert len(found) == bool(finite), (numbers, found)
        if finite:
            same(found["parameters/weight"], numpy.float32(finite))
        run.unwatch()

# The way for other devices than the CPU counts alike.
rows = [torch.randn(1000), torch.randn(1000).double(), torch.zeros(7), torch.tensor([1.0, 1.0 + 2 ** -23]),
        torch.tensor([math.nan, 0.5, math.inf, 0.75]), torch.tensor([math.nan, math.inf]), torch.ones(0),
        torch.tensor([-3e38, 3e38, 0.0]), torch.tensor([-1.7e308, 1.7e308, 0.0]).double(), torch.full((3,), 1e30)]
for most in (_watch.MOST_AT_ONCE, 3):
    _watch.MOST_AT_ONCE = most
    for numbers in rows:
        here, there = _watch.Counted(numbers), _watch.Counted(numbers)
        there.extremes, there.counts = _watch._count_without_waiting(numbers)
        one, other = _watch.to_histograms([here, there])
        assert (one is None) == (other is None), numbers
        if one is not None:
            assert one.bins == other.bins and sum(one.histogram) == sum(other.histogram), numbers
            moved = numpy.abs(numpy.cumsum(one.histogram) - numpy.cumsum(other.histogram)).max()
            assert moved <= max(1, len(numbers) // 1000), (numbers, one.histogram, other.histogram)
            # NumPy has no bins at the ends of what a float can say.
            if not (numbers.abs() > 1e25).any() or not numbers.isfinite().all():
                same({{"_type": "histogram", "values": one.histogram, "bins": one.bins}}, numbers.numpy())
"""

COPIES = f"""
{BEGIN}
model = net()
with steplog.init(project="p", id="a") as run:
    run.watch(model, log="all", log_freq=1)
    step(run, model)
    # A copy, and what is read back, is a model that nobody watches.
    stream = io.BytesIO()
    torch.save(model, stream)
    stream.seek(0)
    options = {{"weights_only": False}} if hasattr(torch, "compile") else {{}}
    for other in (copy.deepcopy(model), torch.load(stream, **options), pickle.loads(pickle.dumps(model))):
        step(run, other)
        assert histograms(run) == {{}}
    step(run, model)
    assert len(histograms(run)) == 8

    # Trouble in a histogram is a warning; the training goes on.
    from steplog import _watch
    def fail(*_):
        raise RuntimeError("out of memory")
    counted, _watch.Counted = _watch.Counted, fail
    step(run, model)
    assert histograms(run) == {{}}
    _watch.Counted = counted
    # A backward pass that ends early does not stop what comes later.
    class Stop(RuntimeError):
        pass
    def stop(gradient):
        raise Stop()
    handle = model[0].weight.register_hook(stop)
    try:
        model(torch.randn(8, 20)).sum().backward()
    except Stop:
        pass
    handle.remove()
    step(run, model)
    assert len(histograms(run)) == 8
    # Gradients of gradients, and backward passes inside others.
    from torch.utils.checkpoint import checkpoint
    x = torch.randn(8, 20, requires_grad=True)
    run.unwatch()
    run.watch(model, log_freq=1)
    loss = checkpoint(model, x, **({{"use_reentrant": True}} if hasattr(torch, "compile") else {{}})).pow(2).mean()
    loss.backward()
    run.log({{"loss": loss}})
    assert len(histograms(run)) == 4
"""

GRAPH = f"""
{BEGIN}
class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(20, 30), nn.Tanh())
        self.lstm = nn.LSTM(30, 5)
        self.unused = nn.Linear(1, 1)

    def forward(self, x):
        return self.lstm(self.inner(x))[0]

model = Two()
with steplog.init(project="p", id="a") as run:
    run.watch(model, nn.CrossEntropyLoss(), log=None, log_graph=True)
    assert "graph_0" not in run.summary
    step(run, model)
    told = run.summary["graph_0"]
    path = told["path"]
    graph = json.load(open(os.path.join(run.dir, path)))
    assert told.as_dict() == {{"_type": "graph-file", "path": path, "sha256": told["sha256"],
                               "size": os.path.getsize(os.path.join(run.dir, path))}}
    assert graph["criterion"] == "CrossEntropyLoss" and graph["format"] == "torch"
    assert [(node["name"], node["output_shape"]) for node in graph["nodes"]] == [
        ("inner.0", [8, 30]), ("inner.1", [8, 30]), ("lstm", [[8, 5], [[1, 5], [1, 5]]])]
    assert graph["nodes"][0]["parameters"] == [["weight", [30, 20]], ["bias", [30]]]
    assert graph["nodes"][0]["num_parameters"] == [600, 30]
    # The hooks have gone.
    assert not any(layer._forward_hooks for layer in model.modules())
"""

DDP = f"""
{BEGIN}
import torch.distributed
from torch.nn.parallel import DistributedDataParallel

torch.distributed.init_process_group("gloo")
rank = torch.distributed.get_rank()
model = DistributedDataParallel(net())
run = steplog.init(project="p", id=f"rank-{{rank}}")
run.watch(model, log="all", log_freq=2)
for _ in range(4):
    step(run, model, torch.ones(8, 20) * (rank + 1))
rows = [sorted(key for key in row if "/" in key) for row in run.history]
names = [f"{{kind}}/{{name}}" for kind in ("gradients", "parameters") for name, _ in net().named_parameters()]
assert rows == [[], sorted(names), [], sorted(names)], rows
torch.distributed.barrier()
torch.distributed.destroy_process_group()
run.finish()
"""

#: Only where PyTorch compiles.
COMPILED = f"""
{BEGIN}
with steplog.init(project="p", id="a") as run:
    for order in ("after", "before"):
        torch._dynamo.reset()
        model = net()
        if order == "before":
            run.watch(model, log="all", log_freq=2)
        compiled = torch.compile(model, backend=sys.argv[1])
        if order == "after":
            run.watch(compiled, log="all", log_freq=2)
        frames = []
        for batch in range(6):
            step(run, compiled)
            names = [name for name, _ in model.named_parameters()]
            expected = [f"{{kind}}/{{name}}" for kind in ("gradients", "parameters") for name in names]
            assert sorted(histograms(run)) == sorted(expected if batch % 2 else []), (order, batch)
            frames.append(torch._dynamo.utils.counters["frames"]["total"])
        # Nothing is compiled again because of the counter.
        assert frames[2] == frames[-1], frames
        run.unwatch()
"""
