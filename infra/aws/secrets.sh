#!/usr/bin/env bash
# infra/aws/secrets.sh PREFIX keeps in Secrets Manager, below PREFIX, what the chart's Secrets are made of: a JSON object for each.
# It takes the passwords of roles and of Redis, and the administrator's address, from the environment, and makes the rest.
set -euo pipefail

prefix=${1:?such as gerai/production}
for name in ADMIN_EMAIL REDIS_PASSWORD GERAI_{AUTH,CLIENT,STORE}_{OWNER,APP}_PASSWORD; do
  : "${!name:?is needed}"
done

random() { openssl rand -hex 32; }

keep() {
  jq --null-input "$2" | aws secretsmanager create-secret --name "$prefix/$1" --secret-string file:///dev/stdin --query Name --output text
}

CLIENT=$(random) STORE=$(random) AUTH_IDEMPOTENCY=$(random) CLIENT_IDEMPOTENCY=$(random) STORE_IDEMPOTENCY=$(random)
ADMIN_PASSWORD=$(random) KEY=$(openssl genpkey -algorithm ed25519)
export CLIENT STORE AUTH_IDEMPOTENCY CLIENT_IDEMPOTENCY STORE_IDEMPOTENCY ADMIN_PASSWORD KEY

keep auth '{
  ADMIN_EMAIL: env.ADMIN_EMAIL, ADMIN_PASSWORD: env.ADMIN_PASSWORD, DB_PASSWORD: env.GERAI_AUTH_APP_PASSWORD,
  IDEMPOTENCY_SECRET: env.AUTH_IDEMPOTENCY, OAUTH_CLIENTS: "client:\(env.CLIENT),store:\(env.STORE)",
  REDIS_PASSWORD: env.REDIS_PASSWORD, "jwt.pem": env.KEY
}'
keep client '{
  DB_PASSWORD: env.GERAI_CLIENT_APP_PASSWORD, IDEMPOTENCY_SECRET: env.CLIENT_IDEMPOTENCY,
  OAUTH_CLIENT_SECRET: env.CLIENT, REDIS_PASSWORD: env.REDIS_PASSWORD
}'
keep store '{
  DB_PASSWORD: env.GERAI_STORE_APP_PASSWORD, IDEMPOTENCY_SECRET: env.STORE_IDEMPOTENCY,
  OAUTH_CLIENT_SECRET: env.STORE, REDIS_PASSWORD: env.REDIS_PASSWORD
}'
keep auth-owner '{DB_PASSWORD: env.GERAI_AUTH_OWNER_PASSWORD}'
keep client-owner '{DB_PASSWORD: env.GERAI_CLIENT_OWNER_PASSWORD}'
keep store-owner '{DB_PASSWORD: env.GERAI_STORE_OWNER_PASSWORD}'
