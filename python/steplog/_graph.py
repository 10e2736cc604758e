"""The layers of a PyTorch model, as its first forward pass goes through them: a file of the run."""

from __future__ import annotations

import hashlib
import json
import os

from steplog import _message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from steplog._run import Run


def record(run: Run, model: Any, criterion: Any, name: str) -> list[Any]:
    """Write the layers when the model was called for the first time.

    The file is ``media/graph/<name>_<hash>.graph.json`` and the summary's ``name`` says so.

    Args:
        run: The run.
        model: The model.
        criterion: The loss function, or ``None``.
        name: The summary's key.

    Returns:
        Handles of the hooks; these also go by themselves.
    """
    handles: list[Any] = []
    nodes: list[dict[str, Any]] = []
    # Containers have nothing of their own to show.
    layers = {id(layer): path for path, layer in model.named_modules() if path and not any(layer.children())}
    missing = set(layers)

    def on_layer(layer: Any, arguments: Any, output: Any) -> None:
        if handles and id(layer) in missing:
            missing.discard(id(layer))
            nodes.append(_node(len(nodes), layers[id(layer)], layer, output))
            if not missing:
                write()

    def write(*_: Any) -> None:
        if not handles:
            return
        for handle in handles:
            handle.remove()
        handles.clear()
        graph = {"format": "torch", "nodes": nodes, "edges": []}
        if criterion is not None:
            graph["criterion"] = getattr(criterion, "__name__", type(criterion).__name__)
        try:
            _save(run, name, graph)
        except Exception as error:
            _message.warn(f"the layers of the model are not kept: {type(error).__name__}: {error}", once=True)

    handles += [layer.register_forward_hook(on_layer) for layer in model.modules() if id(layer) in layers]
    # Layers that the first pass does not need are left out.
    handles.append(model.register_forward_hook(write))
    return list(handles)


def _node(number: int, path: str, layer: Any, output: Any) -> dict[str, Any]:
    parameters = [[name, list(parameter.shape)] for name, parameter in layer.named_parameters()]
    return {
        "id": number,
        "name": path,
        "class_name": str(layer),
        "output_shape": _shapes(output),
        "parameters": parameters,
        "num_parameters": [parameter.numel() for parameter in layer.parameters()],
    }


def _shapes(output: Any) -> Any:
    if hasattr(output, "shape"):
        return list(output.shape)
    if isinstance(output, dict):
        return {str(key): _shapes(value) for key, value in output.items()}
    if isinstance(output, (list, tuple)):
        return [_shapes(item) for item in output]
    return None


def _save(run: Run, name: str, graph: dict[str, Any]) -> None:
    if run.finished:
        return
    data = json.dumps(graph).encode()
    digest = hashlib.sha256(data).hexdigest()
    path = f"media/graph/{name}_{digest[:20]}.graph.json"
    file = os.path.join(run.dir, path)
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(file, "wb") as stream:
        stream.write(data)
    run.save(file, base_path=run.dir, policy="now")
    run.summary[name] = {"_type": "graph-file", "path": path, "sha256": digest, "size": len(data)}
