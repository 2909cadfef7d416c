//! The distribution of a room's members over partitions.

use crate::session::ConnectionId;

/// The number of partitions of each room. Changing it loses the connections that are open at that moment.
///
/// One partition accepts some 1,000 writes a second
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>), which bounds the
/// members that enter or leave a room of one shard.
pub const ROOM_SHARDS: u8 = 4;

/// One of the partitions of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(u8);

impl Shard {
    /// The shard of `connection`, which never changes.
    #[must_use]
    pub fn for_connection(connection: &ConnectionId) -> Self {
        // FNV-1a, because the standard library's hash may change in the next version. The low bits of each step depend
        // only on the low bits of the text, so the high ones decide.
        let hash = connection
            .as_str()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        let high = hash >> 32;
        Self((high % u64::from(ROOM_SHARDS)) as u8)
    }

    /// All shards.
    #[must_use]
    pub fn all() -> [Self; ROOM_SHARDS as usize] {
        std::array::from_fn(|number| Self(number as u8))
    }

    /// The shard with this number, if there is one.
    #[must_use]
    pub fn numbered(number: u8) -> Option<Self> {
        (number < ROOM_SHARDS).then_some(Self(number))
    }

    /// Its number, from 0.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{ROOM_SHARDS, Shard};
    use crate::session::ConnectionId;

    #[test]
    fn a_connection_s_shard_is_the_same_in_every_version() {
        let shard = |id: &str| Shard::for_connection(&ConnectionId::new(id)).number();
        let recorded = [
            shard("BFaT_fALIAMCKug="),
            shard("AAAAAAAAIAMCAAA="),
            shard("c"),
        ];
        assert_eq!(recorded, RECORDED);
    }

    /// The first version's shards of these ids, under which existing rows are stored.
    const RECORDED: [u8; 3] = [2, 0, 0];

    #[test]
    fn ids_of_api_gateways_form_are_spread_evenly() {
        let mut counts = [0_u32; ROOM_SHARDS as usize];
        for number in 0..4_000_u32 {
            let id = format!("L{number:05x}AIAMCK{:02x}=", number % 256);
            counts[usize::from(Shard::for_connection(&ConnectionId::new(id)).number())] += 1;
        }
        assert!(
            counts.iter().all(|count| (850..1_150).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn there_is_no_shard_beyond_the_last() {
        for shard in Shard::all() {
            assert_eq!(Shard::numbered(shard.number()), Some(shard));
        }
        assert_eq!(Shard::numbered(ROOM_SHARDS), None);
    }
}
