#!/bin/sh
# Deploys the stack @STACK@ with the AWS CLI: a new one, or the running one as it is.
# STACK and AWS_REGION name another stack or Region; arguments go to `aws cloudformation deploy`.
#CODE # CODE_BUCKET names a bucket of yours for the zips. Without it, @WHICH@.
#NAME # CERTIFICATE_ARN is the certificate of the endpoint's name, in ACM. A running stack keeps the one that it has.
#ZONE # HOSTED_ZONE_ID is the Route 53 zone for the name's record. A running stack keeps the one that it has; without any, no record is made.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")"
stack=${STACK:-@STACK@}
region=${AWS_REGION:-@REGION@}
# No pager waits for a key.
export AWS_PAGER=''

fail() {
    echo "deploy.sh: $*" >&2
    exit 1
}

[ -n "$region" ] || fail "no Region: set AWS_REGION"
command -v aws >/dev/null || fail "the AWS CLI is missing: install it from https://aws.amazon.com/cli/"
#NAME if [ -z "${CERTIFICATE_ARN:-}" ]; then
#NAME     aws --region "$region" cloudformation describe-stacks --stack-name "$stack" >/dev/null ||
#NAME         fail "a new stack needs a certificate: set CERTIFICATE_ARN to the one in ACM for the name in template.yaml"
#NAME fi

#CODE account=$(aws --region "$region" sts get-caller-identity --query Account --output text)
#CODE bucket=${CODE_BUCKET:-@BUCKET@}
#CODE if [ -z "$bucket" ]; then
#CODE     name=$(printf '%.24s' "$stack" | tr '[:upper:]' '[:lower:]')
#CODE     bucket=$name-code-$account-$region
#CODE     if ! aws --region "$region" s3api head-bucket --bucket "$bucket" --expected-bucket-owner "$account" >/dev/null 2>&1; then
#CODE         aws --region "$region" s3 mb "s3://$bucket"
#CODE     fi
#CODE fi
#CODE
#CODE # Puts a zip under its digest, so that new code has a new key, and an update that fails finds the old one. Sets `key`.
#CODE put() {
#CODE     [ -f "code/$1.zip" ] || fail "code/$1.zip is missing: build it"
#CODE     if command -v sha256sum >/dev/null; then
#CODE         digest=$(sha256sum "code/$1.zip")
#CODE     else
#CODE         digest=$(shasum -a 256 "code/$1.zip")
#CODE     fi
#CODE     key=${digest%% *}.zip
#CODE     aws --region "$region" s3api put-object --bucket "$bucket" --key "$key" --body "code/$1.zip" \
#CODE         --expected-bucket-owner "$account"@ENCRYPTED@ >/dev/null
#CODE }
@PUT@

aws --region "$region" cloudformation deploy --stack-name "$stack" --template-file template.yaml \
    --no-fail-on-empty-changeset \
    @OPTIONS@ \
    "$@"
aws --region "$region" cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].Outputs' --output table
