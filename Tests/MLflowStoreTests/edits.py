# SPDX-License-Identifier: Apache-2.0
"""Real MLflow 3.17 against PostgreSQL: a store with one of everything, and one edit on a copy of it.

    edits.py base URI                fills an empty database
    edits.py edits PREFIX NAME...    does edit NAME in the database PREFIX + NAME (a dash becomes _)

Prints one line of JSON an edit: {"name": ..., "error": ... or null}.
"""
import functools
import json
import os
import sys
import tempfile
import traceback

os.environ["MLFLOW_CRYPTO_KEK_PASSPHRASE"] = "a passphrase for tests"
os.environ["MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"] = "3i3kGMHTWDEnL6Jl4MW1Oc1aGQjTCqHqvbd4Gk1GG1E="
os.environ["MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS"] = "true"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["MLFLOW_SQLALCHEMYSTORE_POOLCLASS"] = "NullPool"
os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = "false"
os.environ["GIT_PYTHON_REFRESH"] = "quiet"

import mlflow
from mlflow import MlflowClient
from mlflow.entities import AssessmentSource, Dataset, DatasetInput, Feedback, InputTag
from mlflow.entities.gateway_endpoint import GatewayEndpointModelConfig, GatewayEndpointTag, GatewayModelLinkageType
from mlflow.entities.webhook import WebhookAction, WebhookEntity, WebhookEvent
from mlflow.genai.label_schemas.label_schemas import InputPassFail
from mlflow.store.db import utils
from mlflow.tracking._model_registry.utils import _get_store as _get_registry
from mlflow.tracking._tracking_service.utils import _get_store

EDITS = {}


def edit(function):
    EDITS[function.__name__] = function
    return function


class Stack:
    def __init__(self, uri):
        mlflow.set_tracking_uri(uri)
        mlflow.set_registry_uri(uri)
        self.uri = uri
        self.client = MlflowClient(uri, uri)
        self.store = _get_store(uri)
        self.registry = _get_registry(uri, uri)

    @property
    def experiment(self):
        return self.client.get_experiment_by_name("sweeps").experiment_id

    def run(self, name="lr sweep"):
        from mlflow.entities import ViewType
        found = self.client.search_runs([self.experiment], "", ViewType.ALL)
        return next(r.info.run_id for r in found if r.info.run_name == name)

    def trace(self, name="first"):
        # Newest last; the traces of the base were made in this order.
        found = self.client.search_traces(locations=[self.experiment], order_by=["timestamp_ms ASC"])
        return found[0 if name == "first" else 1].info.trace_id

    def model(self):
        return self.client.search_logged_models([self.experiment])[0].model_id

    def dataset(self):
        return self.store.search_datasets()[0].dataset_id

    def secret(self, name="openai key"):
        return self.store.get_secret_info(secret_name=name).secret_id

    def endpoint(self):
        return self.store.list_gateway_endpoints()[0].endpoint_id

    def definition(self, name="gpt"):
        return self.store.get_gateway_model_definition(name=name).model_definition_id

    def queue(self):
        return self.store.list_review_queues(self.experiment)[0].queue_id

    def webhook(self):
        return self.client.list_webhooks()[0].webhook_id

    def new_trace(self, text):
        mlflow.set_experiment("sweeps")
        with mlflow.start_span(name="answer") as span:
            span.set_inputs({"question": text})
            span.set_outputs({"answer": 42})
        return span.trace_id


EVENT = WebhookEvent(WebhookEntity.REGISTERED_MODEL, WebhookAction.CREATED)
HUMAN = AssessmentSource(source_type="HUMAN", source_id="ann")


def config(definition):
    return GatewayEndpointModelConfig(definition, GatewayModelLinkageType.PRIMARY)


def base(s):
    c = s.client
    s.store.search_experiments()
    if c.get_experiment_by_name("Default") is None:
        raise SystemExit("no Default experiment")
    e = c.create_experiment("sweeps", artifact_location="/tmp/nowhere/sweeps", tags={"team": "vision"})
    gone = c.create_experiment("old work", artifact_location="/tmp/nowhere/old")
    c.delete_experiment(gone)
    run = c.create_run(e, run_name="lr sweep", tags={"team": "vision", "mlflow.note.content": "as it was"}).info.run_id
    for step in range(5):
        c.log_metric(run, "loss", 1.0 / (step + 1), timestamp=1_790_000_000_000 + step, step=step)
    c.log_metric(run, "accuracy", float("nan"))
    c.log_param(run, "lr", "0.1")
    c.log_inputs(run, [DatasetInput(Dataset("iris", "d1", "code", "{}"), [InputTag("mlflow.data.context", "train")])])
    c.create_run(e, run_name="untouched")
    dead = c.create_run(e, run_name="dead").info.run_id
    c.log_metric(dead, "loss", 3)
    c.delete_run(dead)
    logged = s.store.create_logged_model(e, "net", run)
    s.store.set_logged_model_tags(logged.model_id, [mlflow.entities.LoggedModelTag("kind", "cnn")])
    for name in ("churn", "idle"):
        c.create_registered_model(name, {"owner": "ann"}, "as it was")
        for _ in range(2):
            c.create_model_version(name, f"runs:/{run}/model", run, tags={"grade": "b"}, description="as it was")
        c.set_registered_model_alias(name, "champion", "1")
    mlflow.genai.register_prompt("greeting", "Hello {{name}}")
    s.new_trace("first")
    s.new_trace("second")
    mlflow.log_feedback(trace_id=s.trace(), name="correct", value=True, source=HUMAN)
    c.set_trace_tag(s.trace(), "topic", "math")
    d = s.store.create_dataset("questions", {"kind": "regression"}, [e])
    s.store.upsert_dataset_records(d.dataset_id, [
        {"inputs": {"q": "1+1"}, "expectations": {"a": 2}}, {"inputs": {"q": "2+2"}, "expectations": {"a": 4}}])
    c.create_webhook("hook", "https://127.0.0.1/hook", [EVENT], "as it was", "hush-hush")
    key = s.store.create_gateway_secret("openai key", {"api_key": "sk-1234567890abcdef"}, "openai")
    spare = s.store.create_gateway_secret("spare key", {"api_key": "sk-spare67890abcdef"}, "openai")
    g = s.store.create_gateway_model_definition("gpt", key.secret_id, "openai", "gpt-4o")
    s.store.create_gateway_model_definition("spare", spare.secret_id, "openai", "gpt-4o-mini")
    p = s.store.create_gateway_endpoint("chat", [config(g.model_definition_id)], experiment_id=e)
    s.store.set_gateway_endpoint_tag(p.endpoint_id, GatewayEndpointTag("team", "vision"))
    s.store.register_scorer(e, "judge", json.dumps({"name": "judge"}))
    s.store.create_issue(e, "slow answers", "they are slow")
    schema = s.store.create_label_schema(e, name="good", type="feedback", input=InputPassFail("yes", "no"))
    q = s.store.create_review_queue(e, name="week 1", queue_type="custom", users=["ann"], schema_ids=[schema.schema_id])
    s.store.add_items_to_review_queue(q.queue_id, item_ids=[s.trace()])
    s.store.create_mcp_server("io.example/files", "as it was")


# What a client adds or edits after the backup.
@edit
def alias_set(s): s.client.set_registered_model_alias("churn", "challenger", "2")
@edit
def alias_moved(s): s.client.set_registered_model_alias("churn", "champion", "2")
@edit
def model_description(s): s.client.update_registered_model("churn", "better now")
@edit
def version_description(s): s.client.update_model_version("churn", "1", "better now")
@edit
def run_description(s): s.client.set_tag(s.run(), "mlflow.note.content", "better now")
@edit
def model_renamed(s): s.client.rename_registered_model("churn", "churn-eu")
@edit
def experiment_renamed(s): s.client.rename_experiment(s.experiment, "sweeps of May")
@edit
def run_renamed(s): s.client.update_run(s.run(), name="lr sweep, second try")
@edit
def run_finished(s): s.client.set_terminated(s.run(), "FINISHED")
@edit
def run_tag_set(s): s.client.set_tag(s.run(), "stage", "prod")
@edit
def run_tag_changed(s): s.client.set_tag(s.run(), "team", "speech")
@edit
def experiment_tag_changed(s): s.client.set_experiment_tag(s.experiment, "team", "speech")
@edit
def default_experiment_tag_set(s): s.client.set_experiment_tag("0", "team", "speech")
@edit
def default_experiment_renamed(s): s.client.rename_experiment("0", "playground")
@edit
def model_tag_changed(s): s.client.set_registered_model_tag("churn", "owner", "bob")
@edit
def version_tag_changed(s): s.client.set_model_version_tag("churn", "1", "grade", "a")
@edit
def run_restored(s): s.client.restore_run(s.run("dead"))
@edit
def experiment_restored(s):
    s.client.restore_experiment(s.client.get_experiment_by_name("old work").experiment_id)
@edit
def stage_moved(s): s.client.transition_model_version_stage("churn", "2", "Production")
@edit
def version_added(s): s.client.create_model_version("churn", "runs:/x/model", tags={"grade": "c"})
@edit
def model_added(s):
    s.client.create_registered_model("fraud", {"owner": "ann"})
    s.client.create_model_version("fraud", "runs:/x/model", tags={"grade": "c"})
    s.client.set_registered_model_alias("fraud", "champion", "1")
@edit
def experiment_added(s): s.client.create_experiment("new work", tags={"team": "vision"})
@edit
def run_added(s):
    run = s.client.create_run(s.experiment, run_name="fresh").info.run_id
    for step in range(40):
        s.client.log_metric(run, "loss", step, step=step)
    s.client.log_param(run, "lr", "1")
    s.client.log_inputs(run, [DatasetInput(Dataset("iris", "d1", "code", "{}"), [InputTag("c", "t")])])
@edit
def run_added_and_deleted(s): s.client.delete_run(s.client.create_run(s.experiment, run_name="brief").info.run_id)
@edit
def metric_logged(s):
    for step in range(100, 150):
        s.client.log_metric(s.run(), "loss", 0.01, step=step)
@edit
def metric_with_old_time(s): s.client.log_metric(s.run(), "loss", 0.5, timestamp=1, step=0)
@edit
def metric_of_deleted_run(s):
    run = s.run("untouched")
    s.client.log_metric(run, "loss", 2)
    s.client.delete_run(run)
@edit
def param_logged(s): s.client.log_param(s.run(), "depth", "3")
@edit
def inputs_logged(s): s.client.log_inputs(s.run(), [DatasetInput(Dataset("wine", "d2", "code", "{}"), [])])
@edit
def logged_model_added(s): s.store.create_logged_model(s.experiment, "net2", s.run())
@edit
def logged_model_finished(s): s.client.finalize_logged_model(s.model(), "READY")
@edit
def logged_model_tag(s): s.client.set_logged_model_tags(s.model(), {"kind": "rnn"})
@edit
def trace_added(s): s.new_trace("third")
@edit
def trace_tag_changed(s): s.client.set_trace_tag(s.trace(), "topic", "physics")
@edit
def assessment_added(s): mlflow.log_feedback(trace_id=s.trace(), name="useful", value=False, source=HUMAN)
@edit
def assessment_changed(s):
    old = mlflow.get_trace(s.trace()).info.assessments[0]
    mlflow.update_assessment(s.trace(), old.assessment_id, Feedback(name="correct", value=False, source=HUMAN))
@edit
def prompt_added(s): mlflow.genai.register_prompt("farewell", "Bye {{name}}")
@edit
def prompt_version_added(s): mlflow.genai.register_prompt("greeting", "Hi {{name}}")
@edit
def prompt_alias_set(s): mlflow.genai.set_prompt_alias("greeting", "live", 1)
@edit
def dataset_added(s): s.store.create_dataset("answers", {"kind": "x"}, [s.experiment])
@edit
def dataset_record_added(s): s.store.upsert_dataset_records(s.dataset(), [{"inputs": {"q": "3+3"}}])
@edit
def dataset_record_changed(s):
    s.store.upsert_dataset_records(s.dataset(), [{"inputs": {"q": "1+1"}, "expectations": {"a": 3}}])
@edit
def dataset_tag_changed(s): s.store.set_dataset_tags(s.dataset(), {"kind": "smoke"})
@edit
def webhook_added(s): s.client.create_webhook("second", "https://127.0.0.1/2", [EVENT])
@edit
def webhook_changed(s): s.client.update_webhook(s.webhook(), url="https://127.0.0.1/other")
@edit
def webhook_event_added(s):
    created = WebhookEvent(WebhookEntity.MODEL_VERSION, WebhookAction.CREATED)
    s.client.update_webhook(s.webhook(), events=[EVENT, created])
@edit
def secret_added(s): s.store.create_gateway_secret("third key", {"api_key": "sk-third67890abcdef"}, "openai")
@edit
def secret_rotated(s): s.store.update_gateway_secret(s.secret(), {"api_key": "sk-fedcba0987654321"})
@edit
def endpoint_added(s): s.store.create_gateway_endpoint("chat 2", [config(s.definition())])
@edit
def endpoint_renamed(s): s.store.update_gateway_endpoint(s.endpoint(), name="talk")
@edit
def endpoint_tag_changed(s): s.store.set_gateway_endpoint_tag(s.endpoint(), GatewayEndpointTag("team", "speech"))
@edit
def model_definition_changed(s): s.store.update_gateway_model_definition(s.definition(), model_name="gpt-5")
@edit
def scorer_version_added(s): s.store.register_scorer(s.experiment, "judge", json.dumps({"name": "judge", "v": 2}))
@edit
def issue_changed(s):
    s.store.update_issue(s.store.search_issues(experiment_id=s.experiment)[0].issue_id, description="worse")
@edit
def label_schema_added(s):
    s.store.create_label_schema(s.experiment, name="kind", type="feedback", input=InputPassFail("yes", "no"))
@edit
def review_queue_added(s): s.store.create_review_queue(s.experiment, name="week 2", queue_type="custom")
@edit
def review_item_added(s): s.store.add_items_to_review_queue(s.queue(), item_ids=[s.trace("second")])
@edit
def review_item_done(s):
    s.store.set_review_queue_item_status(s.queue(), item_id=s.trace(), status="complete", completed_by="ann")
@edit
def workspace_added(s):
    from mlflow.entities.workspace import Workspace
    from mlflow.store.workspace.sqlalchemy_store import SqlAlchemyStore
    SqlAlchemyStore(s.uri).create_workspace(Workspace(name="team-b", description="theirs"))
@edit
def default_workspace_described(s):
    from mlflow.entities.workspace import Workspace
    from mlflow.store.workspace.sqlalchemy_store import SqlAlchemyStore
    SqlAlchemyStore(s.uri).update_workspace(Workspace(name="default", description="ours"))
@edit
def mcp_server_changed(s): s.store.update_mcp_server("io.example/files", description="better now")
@edit
def job_submitted(s):
    from mlflow.store.jobs.sqlalchemy_store import SqlAlchemyJobStore
    SqlAlchemyJobStore(s.uri).create_job("scoring", "{}")


# What a client deletes: undoing that loses nothing.
@edit
def deleted_alias(s): s.client.delete_registered_model_alias("churn", "champion")
@edit
def deleted_run(s): s.client.delete_run(s.run())
@edit
def deleted_experiment(s): s.client.delete_experiment(s.experiment)
@edit
def deleted_run_tag(s): s.client.delete_tag(s.run(), "team")
@edit
def deleted_experiment_tag(s): s.client.delete_experiment_tag(s.experiment, "team")
@edit
def deleted_version(s): s.client.delete_model_version("churn", "1")
@edit
def deleted_version_tag(s): s.client.delete_model_version_tag("churn", "1", "grade")
@edit
def deleted_model(s): s.client.delete_registered_model("churn")
@edit
def deleted_model_tag(s): s.client.delete_registered_model_tag("churn", "owner")
@edit
def deleted_version_made_since(s):
    s.client.delete_model_version("churn", s.client.create_model_version("churn", "runs:/x/model").version)
@edit
def deleted_logged_model(s): s.client.delete_logged_model(s.model())
@edit
def deleted_logged_model_tag(s): s.client.delete_logged_model_tag(s.model(), "kind")
@edit
def deleted_trace(s): s.client.delete_traces(s.experiment, trace_ids=[s.trace()])
@edit
def deleted_trace_tag(s): s.client.delete_trace_tag(s.trace(), "topic")
@edit
def deleted_assessment(s):
    mlflow.delete_assessment(s.trace(), mlflow.get_trace(s.trace()).info.assessments[0].assessment_id)
@edit
def deleted_prompt_version(s): s.client.delete_prompt_version("greeting", "1")
@edit
def deleted_dataset(s): s.store.delete_dataset(s.dataset())
@edit
def deleted_dataset_record(s):
    s.store.delete_dataset_records(s.dataset(), [s.store._load_dataset_records(s.dataset())[0][0].dataset_record_id])
@edit
def deleted_dataset_tag(s): s.store.delete_dataset_tag(s.dataset(), "kind")
@edit
def deleted_dataset_link(s): s.store.remove_dataset_from_experiments(s.dataset(), [s.experiment])
@edit
def deleted_webhook(s): s.client.delete_webhook(s.webhook())
@edit
def deleted_webhook_made_since(s):
    s.client.delete_webhook(s.client.create_webhook("brief", "https://127.0.0.1/3", [EVENT]).webhook_id)
@edit
def deleted_secret(s): s.store.delete_gateway_secret(s.secret())
@edit
def deleted_endpoint(s): s.store.delete_gateway_endpoint(s.endpoint())
@edit
def deleted_endpoint_tag(s): s.store.delete_gateway_endpoint_tag(s.endpoint(), "team")
@edit
def deleted_model_definition(s): s.store.delete_gateway_model_definition(s.definition("spare"))
@edit
def deleted_scorer(s): s.store.delete_scorer(s.experiment, "judge")
@edit
def deleted_label_schema(s):
    found = s.store.list_label_schemas(s.experiment)
    s.store.delete_label_schema(next(x for x in found if x.name == "good").schema_id)
@edit
def listed_label_schemas(s): s.store.list_label_schemas(s.experiment)
@edit
def deleted_review_queue(s): s.store.delete_review_queue(s.queue())
@edit
def deleted_review_item(s): s.store.remove_items_from_review_queue(s.queue(), item_ids=[s.trace()])
@edit
def deleted_mcp_server(s): s.store.delete_mcp_server("io.example/files")
@edit
def nothing(s): s.client.search_runs([s.experiment])


def warm(uri):
    """What each child would else do anew: MLflow reads its migrations, SQLAlchemy maps classes and loads a dialect."""
    utils._get_latest_schema_revision = functools.cache(utils._get_latest_schema_revision)
    nothing(Stack(uri))


def main():
    if sys.argv[1] == "list":
        print(json.dumps(list(EDITS)))
        return
    if sys.argv[1] == "base":
        base(Stack(sys.argv[2]))
        return
    warm(sys.argv[2] + sys.argv[3])
    for name in sys.argv[3:]:
        # A process each: MLflow keeps engines and stores for its whole life.
        child = os.fork()
        if child == 0:
            error = None
            try:
                EDITS[name](Stack(sys.argv[2] + name))
            except BaseException:
                error = traceback.format_exc()
            print(json.dumps({"name": name, "error": error}), flush=True)
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    os.chdir(tempfile.mkdtemp())
    main()
