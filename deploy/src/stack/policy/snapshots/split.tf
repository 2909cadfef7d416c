resource "aws_iam_policy" "my_chat_deployer" {
  name   = "chatctl-my-chat-deployer"
  policy = jsonencode({
    "Version": "2012-10-17",
    "Statement": [
      {
        "Sid": "Account",
        "Effect": "Allow",
        "Action": [
          "lambda:GetAccountSettings"
        ],
        "Resource": "*"
      },
      {
        "Sid": "Api",
        "Effect": "Allow",
        "Action": [
          "apigateway:GET"
        ],
        "Resource": "arn:aws:apigateway:eu-west-1::/apis/*"
      },
      {
        "Sid": "Bucket",
        "Effect": "Allow",
        "Action": [
          "s3:CreateBucket",
          "s3:GetBucketOwnershipControls",
          "s3:GetBucketPolicy",
          "s3:GetBucketPublicAccessBlock",
          "s3:GetEncryptionConfiguration",
          "s3:GetLifecycleConfiguration",
          "s3:ListBucket",
          "s3:PutBucketOwnershipControls",
          "s3:PutBucketPolicy",
          "s3:PutBucketPublicAccessBlock",
          "s3:PutEncryptionConfiguration",
          "s3:PutLifecycleConfiguration"
        ],
        "Resource": "arn:aws:s3:::chatctl-code"
      },
      {
        "Sid": "EveryStack",
        "Effect": "Allow",
        "Action": [
          "cloudformation:DescribeStacks"
        ],
        "Resource": "*"
      },
      {
        "Sid": "Functions",
        "Effect": "Allow",
        "Action": [
          "lambda:GetFunctionConfiguration",
          "lambda:UpdateFunctionCode"
        ],
        "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:my-chat-*"
      },
      {
        "Sid": "Handlers",
        "Effect": "Allow",
        "Action": [
          "s3:DeleteObject",
          "s3:GetObject",
          "s3:PutObject"
        ],
        "Resource": "arn:aws:s3:::chatctl-code/*"
      },
      {
        "Sid": "Logs",
        "Effect": "Allow",
        "Action": [
          "logs:FilterLogEvents"
        ],
        "Resource": "arn:aws:logs:eu-west-1:123456789012:log-group:my-chat-*"
      },
      {
        "Sid": "Metrics",
        "Effect": "Allow",
        "Action": [
          "cloudwatch:GetMetricData"
        ],
        "Resource": "*"
      },
      {
        "Sid": "ServiceRole",
        "Effect": "Allow",
        "Action": [
          "iam:PassRole"
        ],
        "Resource": "arn:aws:iam::123456789012:role/chatctl-my-chat-cloudformation",
        "Condition": {
          "StringEquals": {
            "iam:PassedToService": "cloudformation.amazonaws.com"
          }
        }
      },
      {
        "Sid": "Stack",
        "Effect": "Allow",
        "Action": [
          "cloudformation:CreateChangeSet",
          "cloudformation:DeleteChangeSet",
          "cloudformation:DeleteStack",
          "cloudformation:DescribeChangeSet",
          "cloudformation:DescribeEvents",
          "cloudformation:DescribeStackEvents",
          "cloudformation:ExecuteChangeSet",
          "cloudformation:GetTemplate",
          "cloudformation:ListChangeSets",
          "cloudformation:ListStackResources",
          "cloudformation:TagResource",
          "cloudformation:UntagResource",
          "cloudformation:UpdateTerminationProtection"
        ],
        "Resource": [
          "arn:aws:cloudformation:eu-west-1:123456789012:stack/my-chat/*",
          "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/chatctl-*/*"
        ]
      },
      {
        "Sid": "Table",
        "Effect": "Allow",
        "Action": [
          "dynamodb:DescribeTable"
        ],
        "Resource": "arn:aws:dynamodb:eu-west-1:123456789012:table/my-chat-*"
      }
    ]
  })
}

resource "aws_iam_policy" "my_chat_cloudformation" {
  name   = "chatctl-my-chat-cloudformation"
  policy = jsonencode({
    "Version": "2012-10-17",
    "Statement": [
      {
        "Sid": "Api",
        "Effect": "Allow",
        "Action": [
          "apigateway:DELETE",
          "apigateway:GET",
          "apigateway:PATCH",
          "apigateway:POST",
          "apigateway:PUT"
        ],
        "Resource": [
          "arn:aws:apigateway:eu-west-1::/apis",
          "arn:aws:apigateway:eu-west-1::/apis/*",
          "arn:aws:apigateway:eu-west-1::/tags/*"
        ]
      },
      {
        "Sid": "EveryLogGroup",
        "Effect": "Allow",
        "Action": [
          "logs:DescribeIndexPolicies",
          "logs:DescribeLogGroups",
          "logs:DescribeResourcePolicies"
        ],
        "Resource": "*"
      },
      {
        "Sid": "Functions",
        "Effect": "Allow",
        "Action": [
          "lambda:AddPermission",
          "lambda:CreateFunction",
          "lambda:DeleteFunction",
          "lambda:GetFunction",
          "lambda:GetFunctionCodeSigningConfig",
          "lambda:GetFunctionRecursionConfig",
          "lambda:GetFunctionScalingConfig",
          "lambda:GetPolicy",
          "lambda:GetRuntimeManagementConfig",
          "lambda:RemovePermission",
          "lambda:TagResource",
          "lambda:UntagResource",
          "lambda:UpdateFunctionCode",
          "lambda:UpdateFunctionConfiguration"
        ],
        "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:my-chat-*"
      },
      {
        "Sid": "Handlers",
        "Effect": "Allow",
        "Action": [
          "s3:GetObject"
        ],
        "Resource": "arn:aws:s3:::chatctl-code/*"
      },
      {
        "Sid": "Logs",
        "Effect": "Allow",
        "Action": [
          "logs:CreateLogGroup",
          "logs:DeleteDataProtectionPolicy",
          "logs:DeleteLogGroup",
          "logs:GetDataProtectionPolicy",
          "logs:ListTagsForResource",
          "logs:PutRetentionPolicy",
          "logs:TagResource",
          "logs:UntagResource"
        ],
        "Resource": "arn:aws:logs:eu-west-1:123456789012:log-group:my-chat-*"
      },
      {
        "Sid": "Roles",
        "Effect": "Allow",
        "Action": [
          "iam:CreateRole",
          "iam:DeleteRole",
          "iam:DeleteRolePolicy",
          "iam:GetRole",
          "iam:GetRolePolicy",
          "iam:ListAttachedRolePolicies",
          "iam:ListRolePolicies",
          "iam:PutRolePolicy",
          "iam:TagRole",
          "iam:UntagRole",
          "iam:UpdateAssumeRolePolicy",
          "iam:UpdateRole"
        ],
        "Resource": "arn:aws:iam::123456789012:role/my-chat-*"
      },
      {
        "Sid": "RolesOfFunctions",
        "Effect": "Allow",
        "Action": [
          "iam:PassRole"
        ],
        "Resource": "arn:aws:iam::123456789012:role/my-chat-*",
        "Condition": {
          "StringEquals": {
            "iam:PassedToService": "lambda.amazonaws.com"
          }
        }
      },
      {
        "Sid": "Table",
        "Effect": "Allow",
        "Action": [
          "dynamodb:CreateTable",
          "dynamodb:DeleteTable",
          "dynamodb:DescribeContinuousBackups",
          "dynamodb:DescribeContributorInsights",
          "dynamodb:DescribeKinesisStreamingDestination",
          "dynamodb:DescribeTable",
          "dynamodb:DescribeTimeToLive",
          "dynamodb:GetResourcePolicy",
          "dynamodb:ListTagsOfResource",
          "dynamodb:TagResource",
          "dynamodb:UntagResource",
          "dynamodb:UpdateTable",
          "dynamodb:UpdateTimeToLive"
        ],
        "Resource": "arn:aws:dynamodb:eu-west-1:123456789012:table/my-chat-*"
      }
    ]
  })
}

resource "aws_iam_role" "my_chat_cloudformation" {
  name               = "chatctl-my-chat-cloudformation"
  assume_role_policy = jsonencode({
    "Version": "2012-10-17",
    "Statement": [
      {
        "Effect": "Allow",
        "Principal": {
          "Service": "cloudformation.amazonaws.com"
        },
        "Action": "sts:AssumeRole"
      }
    ]
  })
}

resource "aws_iam_role_policy_attachment" "my_chat_cloudformation" {
  role       = aws_iam_role.my_chat_cloudformation.name
  policy_arn = aws_iam_policy.my_chat_cloudformation.arn
}
