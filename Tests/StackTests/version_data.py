# SPDX-License-Identifier: Apache-2.0
"""One of everything that an MLflow client of 2.9 or later can write, and all that it can read of it.

    version_data.py fill URL      writes; what this version does not have yet is left out
    version_data.py more URL      one more run, as after a restore
    version_data.py skill URL     changes a skill, of 3.18 and later
    version_data.py read URL      prints everything as JSON lines in a fixed order, files by their digest
"""
import enum
import hashlib
import json
import os
import sys
import tempfile

os.environ.update(
    NO_PROXY="localhost,127.0.0.1", no_proxy="localhost,127.0.0.1", MLFLOW_DISABLE_TELEMETRY="true", TQDM_DISABLE="1",
    MLFLOW_ENABLE_ASYNC_TRACE_LOGGING="false", GIT_PYTHON_REFRESH="quiet", MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false",
    MLFLOW_HTTP_REQUEST_MAX_RETRIES="1",
)

import mlflow
import mlflow.artifacts
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType

VERSION = tuple(int(part) for part in mlflow.__version__.split(".")[:2])
# Of such a name the servers that stand on gunicorn break off.
UNUSUAL = "名 字.txt" if VERSION >= (3, 10) else "a name.txt"


def folder_with(names):
    folder = tempfile.mkdtemp()
    for name, content in names.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
    return folder


def fill_run(client, experiment, number):
    run = client.create_run(experiment, run_name=f"run {number} 运行", tags={"note": "quoted ' \" \\ \n second line"})
    run_id = run.info.run_id
    metrics = [Metric("loss", 1 / (step + number), 1_700_000_000_000 + step, step) for step in range(50)]
    metrics += [Metric("odd", value, 1_700_000_000_000, -1) for value in (float("nan"), float("inf"), -1e300)]
    params = [Param("rate", "0.01"), Param("long", "参" * 250)]
    client.log_batch(run_id, metrics, params, [RunTag("mlflow.note.content", "#")])
    content = {"a.txt": b"%d\n" % number, "deep/er/b.bin": bytes(range(256)) * 300, "empty": b""}
    content[UNUSUAL] = "内容".encode()
    client.log_artifacts(run_id, folder_with(content))
    client.set_terminated(run_id, "FINISHED" if number % 2 else "FAILED", 1_700_000_100_000)
    return run_id


def fill_datasets(client, run_id):
    from mlflow.entities import Dataset, DatasetInput, InputTag

    inputs = [
        DatasetInput(
            Dataset(name, "digest" + name, "local", '{"uri": "/data"}', "{}", "{}"),
            [InputTag("mlflow.data.context", name)],
        )
        for name in ("train", "test")
    ]
    client._tracking_client.store.log_inputs(run_id, inputs)


def fill_models(client, run_id):
    client.create_registered_model("iris", tags={"team": "a"}, description="flowers 花")
    client.create_registered_model("empty model")
    uri = client.get_run(run_id).info.artifact_uri
    for number in (1, 2, 3):
        tags = {"number": str(number)}
        client.create_model_version("iris", f"{uri}/deep", run_id, tags=tags, description=f"v{number}")
    client.set_registered_model_alias("iris", "champion", "2")
    client.set_model_version_tag("iris", "2", "checked", "yes")
    client.delete_model_version("iris", "3")
    if VERSION < (3, 0):
        client.transition_model_version_stage("iris", "1", "Staging")


def fill_logged_model(client, experiment, run_id):
    model = client.create_logged_model(
        experiment, name="logged", source_run_id=run_id, tags={"kind": "t"}, params={"depth": "3"}, model_type="tree")
    client.log_model_artifacts(model.model_id, folder_with({"MLmodel": b"flavors: {}\n", "data/weights": b"w" * 9000}))
    client.finalize_logged_model(model.model_id, "READY")
    client.log_metric(run_id, "quality", 0.5, 1_700_000_000_000, 3, model_id=model.model_id)
    client.set_logged_model_tags(model.model_id, {"later": "tag"})


def fill_traces(experiment):
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_span(name="outer 外") as outer:
        outer.set_inputs({"question": "why 为何"})
        with mlflow.start_span(name="inner") as inner:
            inner.set_attribute("size", 3)
        outer.set_outputs({"answer": ["because"]})
    if VERSION >= (3, 3):
        trace_id = mlflow.get_last_active_trace_id()
        mlflow.log_feedback(trace_id=trace_id, name="good", value=True, rationale="so 好")
        mlflow.log_expectation(trace_id=trace_id, name="expected", value={"a": 1})


def fill(client):
    client.set_experiment_tag("0", "default", "tagged")
    first = client.create_experiment("first 实验", tags={"owner": "x"})
    runs = [fill_run(client, first, number) for number in (1, 2, 3)]
    gone = client.create_experiment("deleted")
    fill_run(client, gone, 4)
    client.delete_experiment(gone)
    client.delete_run(runs[2])
    fill_datasets(client, runs[0])
    fill_models(client, runs[0])
    if VERSION >= (3, 0):
        fill_logged_model(client, first, runs[0])
    if VERSION >= (2, 14):
        fill_traces(first)
    if VERSION >= (3, 1):
        mlflow.genai.register_prompt("greeting", "Hello {{name}} 你好", tags={"p": "1"})
    if VERSION >= (3, 18):
        client.create_skill(name="reading", description="first")
        client.create_skill_version(name="reading", source="https://example.org/skill.zip")
        client.set_skill_tag(name="reading", key="k", value="v")


def plain(value):
    """An entity as what JSON knows. Times of the client's own reading are none of its fields."""
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in sorted(value.items(), key=lambda pair: str(pair[0]))}
    if isinstance(value, (list, tuple, set)):
        return [plain(each) for each in value]
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if isinstance(value, bytes):
        return value.hex()
    if hasattr(value, "to_dictionary"):
        return plain(value.to_dictionary())
    if hasattr(value, "to_dict"):
        return plain(value.to_dict())
    return {name.strip("_"): plain(each) for name, each in sorted(vars(value).items())}


def note(kind, *values):
    print(json.dumps([kind, *map(plain, values)], ensure_ascii=False, sort_keys=True))


def note_files(kind, uri):
    with tempfile.TemporaryDirectory() as target:
        folder = mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=target)
        for root, folders, files in os.walk(folder):
            folders.sort()
            for name in sorted(files):
                if name == "registered_model_meta":
                    continue  # The client writes it itself.
                path = os.path.join(root, name)
                with open(path, "rb") as file:
                    note(kind, os.path.relpath(path, folder), hashlib.sha256(file.read()).hexdigest())


def all_of(search, **arguments):
    page = search(**arguments)
    found = list(page)
    while getattr(page, "token", None):
        page = search(**arguments, page_token=page.token)
        found += page
    return found


def read_run(client, run):
    inputs = run.inputs.dataset_inputs if run.inputs else []
    note("run", run.info.run_id, run.info.run_name, run.info.status, run.info.lifecycle_stage, run.info.start_time)
    note("run", run.info.end_time, run.info.artifact_uri, run.info.user_id, run.data.params, run.data.tags)
    for key in sorted(run.data.metrics):
        history = client.get_metric_history(run.info.run_id, key)
        points = sorted([repr(point.value), point.timestamp, point.step] for point in history)
        note(key, points, repr(run.data.metrics[key]))
    for each in sorted(inputs, key=lambda each: each.dataset.name):
        note("dataset", vars(each.dataset), {tag.key: tag.value for tag in each.tags})
    note_files("artifact", run.info.artifact_uri)


def read_models(client):
    for model in sorted(all_of(client.search_registered_models), key=lambda model: model.name):
        aliases = client.get_registered_model(model.name).aliases
        note("model", model.name, model.description, model.tags, model.creation_timestamp, aliases)
        versions = all_of(client.search_model_versions, filter_string=f"name='{model.name}'")
        for found in sorted(versions, key=lambda each: int(each.version)):
            one = client.get_model_version(found.name, found.version)
            note("version", one.version, one.description, one.tags, one.source, one.run_id)
            note("version", one.current_stage, sorted(one.aliases), one.creation_timestamp, one.status)
            if one.source.startswith("mlflow-artifacts:"):
                note_files("of the version", client.get_model_version_download_uri(one.name, one.version))


def read_traces(client, experiment):
    found = all_of(client.search_traces, experiment_ids=[experiment], max_results=100)
    for trace in sorted(found, key=lambda trace: trace.info.request_id):
        info = trace.info
        note("trace", info.request_id, info.timestamp_ms, info.execution_time_ms, str(info.status), info.tags)
        for span in sorted(trace.data.spans, key=lambda span: span.span_id):
            note("span", span.name, span.inputs, span.outputs, span.parent_id, span.attributes)
            note("span", span.start_time_ns, span.end_time_ns)
        for assessment in getattr(info, "assessments", None) or []:
            note("assessment", assessment)


def read(client):
    experiments = all_of(client.search_experiments, view_type=ViewType.ALL)
    for experiment in sorted(experiments, key=lambda each: int(each.experiment_id)):
        note("experiment", experiment.experiment_id, experiment.name, experiment.artifact_location, experiment.tags)
        note("experiment", experiment.lifecycle_stage, experiment.creation_time)
        number = [experiment.experiment_id]
        runs = all_of(client.search_runs, experiment_ids=number, run_view_type=ViewType.ALL)
        for run in sorted(runs, key=lambda run: run.info.run_id):
            read_run(client, client.get_run(run.info.run_id))
        if VERSION >= (3, 0):
            models = all_of(client.search_logged_models, experiment_ids=number)
            for model in sorted(models, key=lambda each: each.model_id):
                note("logged model", model)
                note_files("of the logged model", model.artifact_location)
        if VERSION >= (2, 14):
            read_traces(client, experiment.experiment_id)
    read_models(client)
    if VERSION >= (3, 1):
        prompt = mlflow.genai.load_prompt("greeting", version=1, allow_missing=True)
        note("prompt", prompt and prompt.template)
    if VERSION >= (3, 18):
        for skill in sorted(all_of(client.search_skills), key=lambda each: each.name):
            note("skill", skill, client.get_latest_skill_version(name=skill.name))


def main():
    action, url = sys.argv[1:]
    mlflow.set_tracking_uri(url)
    client = MlflowClient()
    if action == "fill":
        fill(client)
    elif action == "more":
        fill_run(client, client.get_experiment_by_name("first 实验").experiment_id, 5)
    elif action == "skill":
        client.set_skill_tag(name="reading", key="later", value="v")
        client.update_skill(name="reading", description="second")
    else:
        read(client)


main()
