# SPDX-License-Identifier: Apache-2.0
"""A client of MLflow's that writes until a file appears, and says how long it had to wait.

writer.py PATH STOP PAUSE    makes STOP.ready before the first write; prints one JSON object at the end
"""

import json
import os
import sys
import time


def main(path, stop, pause):
    import logging

    logging.disable(logging.CRITICAL)
    from mlflow.entities import Metric
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore("sqlite:///" + path, "/tmp/nowhere")
    experiment = store.get_experiment_by_name("writer") or store.create_experiment("writer")
    identifier = getattr(experiment, "experiment_id", experiment)
    open(stop + ".ready", "w").close()
    waits, errors, done, run = [], [], 0, None
    while not os.path.exists(stop):
        start = time.monotonic()
        try:
            if run is None:
                run = store.create_run(identifier, "bob", 1, [], "writer").info.run_id
            store.log_metric(run, Metric("n", float(done), done, done))
            done += 1
        except Exception as error:
            errors.append(str(error).splitlines()[0][:200])
            # Its run may have gone with what was replaced.
            run = None
            found = store.get_experiment_by_name("writer")
            identifier = found.experiment_id if found else store.create_experiment("writer")
        waits.append(time.monotonic() - start)
        time.sleep(float(pause))
    print(json.dumps({"longest": max(waits or [0]), "done": done, "errors": errors}))


if __name__ == "__main__":
    main(*sys.argv[1:4])
