//! Names and ids that AWS would generate, derived from the stack's seed so that they stay the same.

use sha2::{Digest, Sha256};

use crate::stack::Identity;

const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// The inputs of a resource's names.
pub(super) struct Naming<'a> {
    pub(super) identity: &'a Identity,
    pub(super) logical_id: &'a str,
    pub(super) properties: &'a serde_json::Value,
}

impl Naming<'_> {
    /// The string value of a property, if the template sets it.
    pub(super) fn given(&self, property: &str) -> Option<&str> {
        self.properties.get(property)?.as_str()
    }

    /// An id in API Gateway's format: lower-case letters and digits.
    pub(super) fn id(&self, length: usize) -> String {
        letters(self.identity, self.logical_id, LOWER, length)
    }

    /// An id in IAM's format: upper-case letters and digits.
    pub(super) fn upper_id(&self, length: usize) -> String {
        letters(self.identity, self.logical_id, UPPER, length)
    }

    /// `{stack}-{LogicalId}-{12 characters}`, the first two shortened to fit into `longest`, as described in
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html>.
    pub(super) fn generated(&self, longest: usize) -> String {
        let room = longest.saturating_sub(14);
        let (stack, logical) = (&self.identity.stack_name, self.logical_id);
        let stack_length = room.saturating_sub(logical.chars().count()).max(room / 2);
        let stack: String = stack.chars().take(stack_length).collect();
        let logical: String = logical.chars().take(room - stack.chars().count()).collect();
        format!("{stack}-{logical}-{}", self.upper_id(12))
    }

    /// The name in `property`, else a generated name.
    pub(super) fn name(&self, property: &str, longest: usize) -> String {
        self.given(property)
            .map_or_else(|| self.generated(longest), str::to_owned)
    }

    /// `arn:aws:{service}:{region}:{account}:{resource}`.
    pub(super) fn arn(&self, service: &str, resource: &str) -> String {
        let Identity {
            region, account_id, ..
        } = self.identity;
        format!("arn:aws:{service}:{region}:{account_id}:{resource}")
    }
}

/// `AWS::StackId`: an ARN that ends like a UUID.
pub(super) fn stack_id(identity: &Identity) -> String {
    let digits = letters(identity, "AWS::StackId", b"0123456789abcdef", 32);
    let uuid = [
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    ]
    .join("-");
    let Identity {
        region,
        account_id,
        stack_name,
        ..
    } = identity;
    format!("arn:aws:cloudformation:{region}:{account_id}:stack/{stack_name}/{uuid}")
}

/// SHA-256 as lower-case hexadecimal digits.
pub(super) fn hex_digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// `length` is 32 at most: one character for each byte of the hash.
fn letters(identity: &Identity, name: &str, alphabet: &[u8], length: usize) -> String {
    let mut hash = Sha256::new();
    // The separator cannot be part of a logical id, so no two pairs give the same text.
    hash.update(&identity.seed);
    hash.update("\0");
    hash.update(name);
    let bytes = hash.finalize();
    bytes
        .iter()
        .take(length)
        .map(|&byte| char::from(alphabet[usize::from(byte) % alphabet.len()]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn identity(stack_name: &str, seed: &str) -> Identity {
        let (region, account_id) = ("eu-central-1".to_owned(), "000000000000".to_owned());
        Identity {
            stack_name: stack_name.to_owned(),
            region,
            account_id,
            seed: seed.to_owned(),
        }
    }

    fn naming<'a>(identity: &'a Identity, logical_id: &'a str) -> Naming<'a> {
        Naming {
            identity,
            logical_id,
            properties: &serde_json::Value::Null,
        }
    }

    #[test]
    fn another_seed_or_another_logical_id_gives_another_id() {
        let (one, two) = (identity("chat", "1"), identity("chat", "2"));
        assert_eq!(naming(&one, "Api").id(10), naming(&one, "Api").id(10));
        assert_ne!(naming(&one, "Api").id(10), naming(&two, "Api").id(10));
        assert_ne!(naming(&one, "Api").id(10), naming(&one, "Route").id(10));
    }

    proptest! {
        #[test]
        fn a_generated_name_fits_and_keeps_its_suffix(stack in "[a-z]{1,128}", logical in "[A-Za-z]{1,200}") {
            let identity = identity(&stack, "seed");
            let name = naming(&identity, &logical).generated(64);
            prop_assert!(name.len() <= 64);
            let suffix = naming(&identity, &logical).upper_id(12);
            prop_assert!(name.ends_with(&suffix));
            if stack.len() + logical.len() <= 50 {
                prop_assert_eq!(name, format!("{stack}-{logical}-{suffix}"));
            }
        }
    }
}
