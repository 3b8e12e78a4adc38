// SPDX-License-Identifier: Apache-2.0

import SystemIO
import TestSupport
import Testing

extension ComposeTests {
    /// D3. Its first service alone: what is asked is whose the names are.
    @Test func aSecondStackHasNamesOfItsOwnAndItsEndReachesNothingOfTheFirst() throws {
        try stack.up()
        let second = ["STACK_NAME": "lab", "COMPOSE_PROJECT_NAME": "lab", "STACK_ENV_FILE": "lab.env"]
        try stack.run("echo POSTGRES_PASSWORD=of-the-lab >lab.env")
        func volumes() throws -> Set<Substring> {
            Set(try stack.run("docker volume ls --format '{{.Name}}'").split(separator: "\n"))
        }
        let first = try volumes()
        #expect(
            first.isSuperset(of: [
                "mlflow_postgres_data", "mlflow_artifacts_data", "mlflow_backup_data", "mlflow_secrets_data",
            ]))
        try stack.run("docker-compose up secrets", second)
        #expect(try volumes().contains("lab_secrets_data"))
        #expect(
            try stack.run(
                "docker run --rm -v lab_secrets_data:/s --entrypoint cat mlflow-backup:local /s/postgres_password")
                == "of-the-lab")
        let known = try stack.run("docker exec mlflow-postgres cat /run/mlflow-secrets/postgres_password")
        #expect(known != "of-the-lab")
        try stack.run("docker-compose down -v", second)
        #expect(try volumes() == first)
        try stack.waitUntilHealthy()
    }

    /// D4. Four workers would each have a key of their own.
    @Test func aWebhookWithASecretIsReadByEveryWorkerAndAfterARestart() throws {
        try stack.up()
        let call = "docker exec mlflow-server python3 -c \"\nfrom mlflow import MlflowClient\n"
        let made = try stack.run(
            call + "c = MlflowClient('http://localhost:5000')\n"
                + "print(c.create_webhook(name='told', url='https://93.184.215.14/hook', events=['registered_model.created'], secret='s3').webhook_id)\""
        )
        let id = made.split(separator: "\n").last.map(String.init) ?? ""
        let ask =
            call
            + "c = MlflowClient('http://localhost:5000')\nfor _ in range(12): c.get_webhook('\(id)'); c.list_webhooks()\nprint('read')\""
        #expect(try stack.run(ask).hasSuffix("read"))
        try stack.run("docker restart mlflow-server")
        try stack.waitUntilHealthy()
        #expect(try stack.run(ask).hasSuffix("read"))
        let key = try stack.run("docker exec mlflow-server cat /run/mlflow-secrets/webhook_key")
        #expect(key.utf8.count == 44)
        #expect(try !stack.run("docker inspect mlflow-server").contains(key))
        try stack.up()
        #expect(try stack.run("docker exec mlflow-server cat /run/mlflow-secrets/webhook_key") == key)
    }
}
