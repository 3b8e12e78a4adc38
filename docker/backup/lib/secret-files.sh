# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# The service's secrets are files that the `secrets` container has made from .env, so that they are in no container's environment.
# A value that somebody put there himself (an override file, `docker run -e`) goes before.

# use_secret_files: exports NAME_FILE for each secret that there is. MLflow's keys are files of its own names, and are tried at rows that need them.
use_secret_files() {
    for secret in API_TOKEN SMTP_PASSWORD BACKUP_PING_URL MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY MLFLOW_CRYPTO_KEK_PASSPHRASE; do
        case $secret in
            MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY) file=webhook_key ;;
            MLFLOW_CRYPTO_KEK_PASSPHRASE) file=kek_passphrase ;;
            *) file=$secret ;;
        esac
        file=${SECRETS:-/run/mlflow-secrets}/$file
        eval "given=\${$secret:-}\${${secret}_FILE:-}"
        # Root reads them all; whoever else runs the program does without those that are not his.
        if [ -z "$given" ] && [ -r "$file" ]; then export "${secret}_FILE=$file"; fi
    done
}
