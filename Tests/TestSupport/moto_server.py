# SPDX-License-Identifier: Apache-2.0
"""moto's S3, which looks at signatures. usage: moto_server.py FOLDER PORT
FOLDER/keys has an access key and its secret; FOLDER/port appears when it listens and the bucket `bucket` is there."""
import json
import os
import sys
import threading

FOLDER, PORT = sys.argv[1], int(sys.argv[2])
# The three calls to IAM below are free; from then on each request is looked at.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "3"

import boto3  # noqa: E402 (moto reads the variable when it is imported)
from botocore.auth import S3SigV4Auth  # noqa: E402
from moto.iam.access_control import S3IAMRequest  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402


class AsSent(S3SigV4Auth):
    """S3 itself takes the digest that the request says, `UNSIGNED-PAYLOAD` as well; moto reckons one of its own."""

    def payload(self, request):
        return self.said

    def _modify_request_before_signing(self, request):
        self.said = request.headers.get("X-Amz-Content-SHA256", "missing")
        super()._modify_request_before_signing(request)


S3IAMRequest._create_auth = lambda self, credentials: AsSent(credentials, self._service, self._region)

server = ThreadedMotoServer(ip_address="127.0.0.1", port=PORT, verbose=False)
server.start()
port = server.get_host_and_port()[1]
place = {"endpoint_url": f"http://127.0.0.1:{port}", "region_name": "us-east-1"}
iam = boto3.client("iam", aws_access_key_id="none", aws_secret_access_key="none", **place)
iam.create_user(UserName="tester")
policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
iam.put_user_policy(UserName="tester", PolicyName="all", PolicyDocument=json.dumps(policy))
key = iam.create_access_key(UserName="tester")["AccessKey"]
login = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
boto3.client("s3", **login, **place).create_bucket(Bucket="bucket")
with open(os.path.join(FOLDER, "keys"), "w", encoding="utf-8") as file:
    file.write(f"{key['AccessKeyId']}\n{key['SecretAccessKey']}\n")
with open(os.path.join(FOLDER, "port.partial"), "w", encoding="utf-8") as file:
    file.write(str(port))
os.rename(os.path.join(FOLDER, "port.partial"), os.path.join(FOLDER, "port"))
threading.Event().wait()
