use expect_test::expect_file;

pub(super) const REGIONS: [&str; 17] = [
    "us-east-1", "eu-west-1", "ap-southeast-7", "cn-north-1", "cn-northwest-1", "us-gov-west-1", "us-gov-east-1", "us-iso-east-1",
    "us-iso-west-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1", "eusc-de-east-1", "xx-new-1", "aws-global", "local", "us-east-1.example.com/x",
];

macro_rules! service {
    ($out:ident, $name:literal, $krate:ident, $($extra:tt)*) => {{
        use $krate::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
        for region in REGIONS { for fips in [false, true] { for dual in [false, true] { for custom in [false, true] {
            if custom && region != "eu-west-1" { continue; }
            let params = Params::builder().region(region).use_fips(fips).use_dual_stack(dual);
            let params = if custom { params.endpoint("http://stub/x") } else { params };
            let params = params $($extra)*;
            let line = match params.build() {
                Err(error) => format!("invalid: {error}"),
                Ok(params) => match DefaultResolver::new().resolve_endpoint(&params).await {
                    Ok(endpoint) => format!("{} {:?}", endpoint.url(), endpoint.properties().get("authSchemes").is_some().then(|| format!("{endpoint:?}"))),
                    Err(error) => format!("refused: {error}"),
                },
            };
            $out += &format!("{} {region}{}{}{}: {line}\n", $name, if fips {" fips"} else {""}, if dual {" dual"} else {""}, if custom {" custom"} else {""});
        }}}}
    }};
}

#[tokio::test]
async fn record_endpoints() {
    let mut out = String::new();
    service!(out, "ACM", aws_sdk_acm, .service_type("ACM"));
    service!(out, "Route 53", aws_sdk_route53, );
    service!(out, "CloudWatch", aws_sdk_cloudwatch, );
    service!(out, "CloudWatch Logs", aws_sdk_cloudwatchlogs, );
    service!(out, "Lambda", aws_sdk_lambda, );
    service!(out, "ApiGatewayV2", aws_sdk_apigatewayv2, );
    service!(out, "DynamoDB", aws_sdk_dynamodb, .account_id_endpoint_mode("preferred").resource_arn("chat-Table-1"));
    service!(out, "DynamoDB of an account", aws_sdk_dynamodb, .account_id("123456789012").account_id_endpoint_mode("preferred").resource_arn("chat-Table-1"));
    service!(out, "DynamoDB required without", aws_sdk_dynamodb, .account_id_endpoint_mode("required").resource_arn("chat-Table-1"));
    service!(out, "DynamoDB required", aws_sdk_dynamodb, .account_id("123456789012").account_id_endpoint_mode("required").resource_arn("chat-Table-1"));
    service!(out, "DynamoDB disabled", aws_sdk_dynamodb, .account_id("123456789012").account_id_endpoint_mode("disabled").resource_arn("chat-Table-1"));
    service!(out, "ApiGatewayManagementApi", aws_sdk_apigatewaymanagement, );
    service!(out, "CloudFormation", aws_sdk_cloudformation, );
    expect_file!["recorded/endpoints_raw.txt"].assert_eq(&out);
}
