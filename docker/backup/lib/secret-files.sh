# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# The service's secrets are files that the `secrets` container has made from .env, so that they are in no container's environment.
# A value that somebody put there himself (an override file, `docker run -e`) goes before.

# use_secret_files: exports NAME_FILE for each secret that there is.
use_secret_files() {
    for secret in API_TOKEN SMTP_PASSWORD BACKUP_PING_URL; do
        file=${SECRETS:-/run/mlflow-secrets}/$secret
        eval "given=\${$secret:-}\${${secret}_FILE:-}"
        # Root reads them all; whoever else runs the program does without those that are not his.
        if [ -z "$given" ] && [ -r "$file" ]; then export "${secret}_FILE=$file"; fi
    done
}
