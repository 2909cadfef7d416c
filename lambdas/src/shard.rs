//! The distribution of a room's members over partitions.

use crate::session::ConnectionId;

pub use chat_protocol::table::ROOM_SHARDS;

/// One of the partitions of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(u8);

impl Shard {
    /// The shard of `connection`, which never changes.
    #[must_use]
    pub fn for_connection(connection: &ConnectionId) -> Self {
        Self(chat_protocol::table::shard(connection.as_str()))
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
