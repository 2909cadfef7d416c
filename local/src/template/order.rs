//! Topological order and closure of dependencies.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// Returns an order in which every item comes after its dependencies. Otherwise items keep their own order.
///
/// `needs[item]` lists items by index. An `Err` is a cycle: each of its items depends on the next one, the last one on
/// the first.
pub(super) fn creation_order(needs: &[BTreeSet<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut missing: Vec<usize> = needs.iter().map(BTreeSet::len).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for (item, needs) in needs.iter().enumerate() {
        needs.iter().for_each(|&need| needed_by[need].push(item));
    }
    let mut ready: BinaryHeap<Reverse<usize>> = (0..needs.len())
        .filter(|&item| missing[item] == 0)
        .map(Reverse)
        .collect();
    let mut order = Vec::with_capacity(needs.len());
    while let Some(Reverse(item)) = ready.pop() {
        order.push(item);
        for &dependant in &needed_by[item] {
            missing[dependant] -= 1;
            if missing[dependant] == 0 {
                ready.push(Reverse(dependant));
            }
        }
    }
    match missing.iter().position(|&missing| missing > 0) {
        None => Ok(order),
        Some(start) => Err(cycle(needs, &missing, start)),
    }
}

/// Every item that `start` depends on, directly or not.
pub(super) fn closure(needs: &[BTreeSet<usize>], start: usize) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start];
    while let Some(item) = open.pop() {
        open.extend(needs[item].iter().filter(|&&need| reached.insert(need)));
    }
    reached
}

/// Every remaining item depends on another remaining one, so following the dependencies finds a cycle.
fn cycle(needs: &[BTreeSet<usize>], missing: &[usize], start: usize) -> Vec<usize> {
    let mut path = vec![start];
    let mut item = start;
    while let Some(&next) = needs[item].iter().find(|&&need| missing[need] > 0) {
        if let Some(begin) = path.iter().position(|&seen| seen == next) {
            return path.split_off(begin);
        }
        path.push(next);
        item = next;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn graph(items: usize) -> impl Strategy<Value = Vec<BTreeSet<usize>>> {
        proptest::collection::vec(proptest::collection::btree_set(0..items, 0..3), items)
    }

    #[test]
    fn free_items_keep_their_order() {
        let needs = [
            BTreeSet::from([2]),
            BTreeSet::new(),
            BTreeSet::new(),
            BTreeSet::new(),
        ];
        assert_eq!(creation_order(&needs), Ok(vec![1, 2, 0, 3]));
    }

    #[test]
    fn an_item_that_needs_itself_is_a_cycle() {
        assert_eq!(
            creation_order(&[BTreeSet::new(), BTreeSet::from([1])]),
            Err(vec![1])
        );
    }

    proptest! {
        #[test]
        fn the_result_is_a_valid_order_or_a_real_cycle(needs in graph(7)) {
            match creation_order(&needs) {
                Ok(order) => {
                    prop_assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), needs.len());
                    for (position, item) in order.iter().enumerate() {
                        prop_assert!(needs[*item].iter().all(|need| order[..position].contains(need)));
                    }
                }
                Err(cycle) => {
                    prop_assert!(!cycle.is_empty());
                    for (index, item) in cycle.iter().enumerate() {
                        prop_assert!(needs[*item].contains(&cycle[(index + 1) % cycle.len()]));
                    }
                }
            }
        }
    }
}
