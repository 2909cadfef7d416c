#!/bin/sh
# Deploys the stack @STACK@ with the AWS CLI: a new one, or the running one as it is.
# STACK and AWS_REGION name another stack or Region; arguments go to `aws cloudformation deploy`.
#CODE # CODE_BUCKET names a bucket of yours for the zips. Without it, one is made for this stack.
set -eu
cd "$(dirname "$0")"
stack=${STACK:-@STACK@}
region=${AWS_REGION:-@REGION@}
: "${region:?set AWS_REGION}"

#CODE account=$(aws --region "$region" sts get-caller-identity --query Account --output text)
#CODE name=$(printf '%.24s' "$stack" | tr '[:upper:]' '[:lower:]')
#CODE bucket=${CODE_BUCKET:-$name-code-$account-$region}
#CODE if ! aws --region "$region" s3api head-bucket --bucket "$bucket" --expected-bucket-owner "$account" >/dev/null 2>&1; then
#CODE     aws --region "$region" s3 mb "s3://$bucket"
#CODE fi
#CODE
#CODE # A zip lies under its digest, so that new code has a new key, and an update that fails finds the old one.
#CODE put() {
#CODE     if command -v sha256sum >/dev/null; then
#CODE         digest=$(sha256sum "code/$1.zip")
#CODE     else
#CODE         digest=$(shasum -a 256 "code/$1.zip")
#CODE     fi
#CODE     key=${digest%% *}.zip
#CODE     aws --region "$region" s3api put-object --bucket "$bucket" --key "$key" --body "code/$1.zip" \
#CODE         --expected-bucket-owner "$account" >/dev/null
#CODE     echo "$key"
#CODE }
@PUT@

aws --region "$region" cloudformation deploy --stack-name "$stack" --template-file template.yaml \
    --no-fail-on-empty-changeset \
    @OPTIONS@ \
    "$@"
aws --region "$region" cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].Outputs' --output table
