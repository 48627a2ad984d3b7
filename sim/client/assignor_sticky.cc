#include <algorithm>
#include <map>
#include <set>

#include "base/check.h"
#include "client/assignor_group.h"
#include "protocol/java_hash.h"

// AbstractStickyAssignor: balanced first, then as many partitions as possible stay where they were.
//
// Members that all subscribe to the same topics are served by quotas (ConstrainedAssignmentBuilder);
// otherwise partitions are moved one by one until no move improves the balance (GeneralAssignmentBuilder).
// The cooperative variant then withholds what another member still claims: it must be revoked before the next
// rebalance can hand it out (KIP-429).
namespace sim::client {
namespace {

std::size_t at(int index) {
  return static_cast<std::size_t>(index);
}

void remove(std::vector<PartitionIndex>& from, PartitionIndex partition) {
  from.erase(std::remove(from.begin(), from.end(), partition), from.end());
}

struct Claims {
  MemberPartitions owned;                // by member; of several claims the one of the newest generation
  std::vector<bool> claimed_by_several;  // by partition, in the same generation: nobody keeps it
  int newest_generation = -1;
  bool all_subscriptions_equal = true;
};

// allSubscriptionsEqual: topics that do not exist count, too. (Of members that ask for nothing, which no
// consumer does, Kafka passes over those that come first.)
bool all_subscriptions_equal(const GroupView& group) {
  return std::all_of(group.members.begin(), group.members.end(), [&](const GroupView::Member& member) {
    return member.asked_for == group.members.front().asked_for;
  });
}

Claims read_claims(const GroupView& group) {
  Claims claims;
  claims.all_subscriptions_equal = all_subscriptions_equal(group);
  claims.owned.resize(group.members.size());
  claims.claimed_by_several.resize(group.partitions.size());
  std::vector<MemberIndex> owner(group.partitions.size(), -1);
  for (MemberIndex m = 0; m < group.member_count(); ++m) {
    const GroupView::Member& member = group.members[at(m)];
    claims.newest_generation = std::max(claims.newest_generation, member.generation);
    for (const PartitionIndex p : member.owned) {
      const MemberIndex other = owner[at(p)];
      if (other == m) continue;
      if (other < 0) {
        claims.owned[at(m)].push_back(p);
        owner[at(p)] = m;
      } else if (member.generation == group.members[at(other)].generation) {
        claims.claimed_by_several[at(p)] = true;
        remove(claims.owned[at(other)], p);
        owner[at(p)] = m;
      } else if (member.generation > group.members[at(other)].generation) {
        claims.owned[at(m)].push_back(p);
        remove(claims.owned[at(other)], p);
        owner[at(p)] = m;
      }
    }
  }
  return claims;
}

class RackInfo {
 public:
  explicit RackInfo(const GroupView& group) : group_(group) {
    std::vector<int> racks;
    for (const GroupView::Member& member : group.members) racks.push_back(member.rack);
    std::vector<const GroupView::Partition*> partitions;
    for (const GroupView::Partition& partition : group.partitions) partitions.push_back(&partition);
    in_use_ = use_rack_aware_assignment(racks, partitions);
    if (!in_use_) return;
    for (PartitionIndex p = 0; p < group.partition_count(); ++p) {
      int near = 0;
      for (MemberIndex m = 0; m < group.member_count(); ++m) near += stands_near(m, p) ? 1 : 0;
      members_near_.push_back(near);
    }
  }

  bool in_use() const { return in_use_; }
  bool mismatch(MemberIndex member, PartitionIndex partition) const {
    return in_use_ && !group_.rack_matches(member, partition);
  }
  // In a rack of one of its replicas.
  bool stands_near(MemberIndex member, PartitionIndex partition) const {
    return in_use_ && group_.members[at(member)].rack >= 0 && group_.rack_matches(member, partition);
  }
  // Those with the fewest members nearby come first.
  void sort(std::vector<PartitionIndex>& partitions) const {
    if (!in_use_) return;
    std::stable_sort(partitions.begin(), partitions.end(), [&](PartitionIndex a, PartitionIndex b) {
      return members_near_[at(a)] < members_near_[at(b)];
    });
  }
  int next_near(PartitionIndex partition, const std::vector<MemberIndex>& members, std::size_t first) const {
    for (std::size_t i = 0; i < members.size(); ++i) {
      const std::size_t place = (first + i) % members.size();
      if (stands_near(members[place], partition)) return static_cast<int>(place);
    }
    return -1;
  }

 private:
  const GroupView& group_;
  bool in_use_ = false;
  std::vector<int> members_near_;  // by partition
};

// Every member may take every partition of the topics, which are those that somebody subscribes to: a quota
// for each.
class ConstrainedAssignment {
 public:
  ConstrainedAssignment(const GroupView& group, const RackInfo& racks, const Claims& claims)
      : group_(group),
        racks_(racks),
        claims_(claims),
        assigned_(group.members.size()),
        revoked_from_(group.partitions.size(), -1) {
    for (PartitionIndex p = 0; p < group.partition_count(); ++p) total_ += is_wanted(p) ? 1 : 0;
    min_quota_ = total_ / group.member_count();
    expected_above_min_ = total_ % group.member_count();
    max_quota_ = min_quota_ + (expected_above_min_ > 0 ? 1 : 0);
  }

  MemberPartitions build() {
    keep_owned();
    std::vector<PartitionIndex> unassigned;
    for (PartitionIndex p = 0; p < group_.partition_count(); ++p) {
      if (!taken(p) && is_wanted(p)) unassigned.push_back(p);
    }
    racks_.sort(unassigned);
    if (racks_.in_use()) fill_within_racks(unassigned);
    fill(unassigned);
    return std::move(assigned_);
  }

  // Partitions given to one member while another may still be at work on them.
  const std::vector<std::pair<PartitionIndex, MemberIndex>>& transferring() const { return transferring_; }

 private:
  bool taken(PartitionIndex p) const { return !taken_.empty() && taken_[at(p)]; }
  bool is_wanted(PartitionIndex p) const {
    const auto topic = at(group_.partitions[at(p)].topic);
    return std::any_of(group_.members.begin(), group_.members.end(),
                       [topic](const GroupView::Member& member) { return member.subscribed[topic]; });
  }

  void keep_owned() {
    taken_.resize(group_.partitions.size());
    for (MemberIndex m = 0; m < group_.member_count(); ++m) {
      std::vector<PartitionIndex> owned;
      for (const PartitionIndex p : claims_.owned[at(m)]) {
        if (!is_wanted(p)) continue;
        if (racks_.mismatch(m, p)) {
          revoked_from_[at(p)] = m;
        } else if (!claims_.claimed_by_several[at(p)]) {
          owned.push_back(p);
        }
      }
      std::sort(owned.begin(), owned.end(), [&](PartitionIndex a, PartitionIndex b) {
        const int number_a = group_.partitions[at(a)].number;
        const int number_b = group_.partitions[at(b)].number;
        return number_a != number_b ? number_a < number_b : a < b;
      });
      keep(m, owned);
    }
  }

  void keep(MemberIndex m, const std::vector<PartitionIndex>& owned) {
    const int count = static_cast<int>(owned.size());
    int kept = count;
    if (count < min_quota_) {
      below_min_.push_back(m);
    } else if (count >= max_quota_ && above_min_ < expected_above_min_) {
      kept = max_quota_;
      if (++above_min_ == expected_above_min_) at_min_.clear();
    } else {
      kept = min_quota_;
      if (above_min_ < expected_above_min_) at_min_.push_back(m);
    }
    for (int i = 0; i < count; ++i) {
      if (i < kept) {
        assigned_[at(m)].push_back(owned[at(i)]);
        taken_[at(owned[at(i)])] = true;
      } else {
        revoked_from_[at(owned[at(i)])] = m;
      }
    }
  }

  void fill_within_racks(std::vector<PartitionIndex>& unassigned) {
    std::size_t next = 0;
    std::vector<PartitionIndex> left;
    for (const PartitionIndex p : unassigned) {
      if (const int place = racks_.next_near(p, below_min_, next); place >= 0) {
        const MemberIndex member = below_min_[at(place)];
        const int count = give(p, member);
        std::size_t following = at(place);
        if (count >= min_quota_) {
          below_min_.erase(below_min_.begin() + place);
          if (count < max_quota_ && above_min_ < expected_above_min_) at_min_.push_back(member);
        } else {
          ++following;
        }
        next = below_min_.empty() ? 0 : following % below_min_.size();
      } else if (const int spare = racks_.next_near(p, at_min_, 0); spare >= 0) {
        const MemberIndex member = at_min_[at(spare)];
        if (give(p, member) == max_quota_) {
          at_min_.erase(at_min_.begin() + spare);
          if (++above_min_ == expected_above_min_) at_min_.clear();
        }
      } else {
        left.push_back(p);
      }
    }
    unassigned = std::move(left);
  }

  // Round and round over the members below the minimum, then one more for those that may have it.
  void fill(const std::vector<PartitionIndex>& unassigned) {
    std::size_t next = 0;
    for (const PartitionIndex p : unassigned) {
      if (!below_min_.empty()) {
        if (next >= below_min_.size()) next = 0;
        const MemberIndex member = below_min_[next];
        const int count = give(p, member);
        if (count == min_quota_) {
          below_min_.erase(below_min_.begin() + static_cast<std::ptrdiff_t>(next));
          at_min_.push_back(member);
        } else {
          ++next;
          if (count == max_quota_) ++above_min_;
        }
      } else {
        SIM_CHECK(!at_min_.empty(), "the quotas add up to the number of partitions");
        const MemberIndex member = at_min_.front();
        at_min_.erase(at_min_.begin());
        if (give(p, member) == max_quota_) ++above_min_;
      }
    }
  }

  int give(PartitionIndex p, MemberIndex member) {
    assigned_[at(member)].push_back(p);
    const MemberIndex revoked_from = revoked_from_[at(p)];
    if ((revoked_from >= 0 && revoked_from != member) || claims_.claimed_by_several[at(p)])
      transferring_.emplace_back(p, member);
    return static_cast<int>(assigned_[at(member)].size());
  }

  const GroupView& group_;
  const RackInfo& racks_;
  const Claims& claims_;
  MemberPartitions assigned_;
  std::vector<bool> taken_;
  std::vector<MemberIndex> revoked_from_;  // by partition; -1 = nobody
  std::vector<std::pair<PartitionIndex, MemberIndex>> transferring_;
  std::vector<MemberIndex> below_min_, at_min_;
  int total_ = 0;
  int min_quota_ = 0, max_quota_ = 0;
  int expected_above_min_ = 0, above_min_ = 0;
};

// Which partitions went from whom to whom, so that two members do not swap partitions of one topic
// (AbstractStickyAssignor.PartitionMovements).
class Movements {
 public:
  explicit Movements(const GroupView& group) : group_(group) {}

  void move(PartitionIndex p, MemberIndex from, MemberIndex to) {
    const auto moved = moved_.find(p);
    MemberIndex source = from;
    if (moved != moved_.end()) {
      source = moved->second.first;
      const auto movement = by_pair_.find({topic(p), moved->second});
      std::erase(movement->second.partitions, p);
      if (movement->second.partitions.empty()) by_pair_.erase(movement);
      moved_.erase(moved);
    }
    if (source == to) return;
    moved_[p] = {source, to};
    MovedPartitions& movement = by_pair_[{topic(p), {source, to}}];
    movement.partitions.push_back(p);
    movement.table_size = std::max(movement.table_size, java_hash_table_size(0, movement.partitions.size()));
  }

  // If another partition of the topic has gone the opposite way, moving that one back does as well.
  PartitionIndex to_be_moved(PartitionIndex p, MemberIndex from, MemberIndex to) const {
    const auto moved = moved_.find(p);
    const MemberIndex source = moved == moved_.end() ? from : moved->second.first;
    const auto reverse = by_pair_.find({topic(p), {to, source}});
    return reverse == by_pair_.end() ? p : first_of(reverse->second);
  }

 private:
  using Pair = std::pair<MemberIndex, MemberIndex>;
  struct MovedPartitions {
    std::vector<PartitionIndex> partitions;  // in the order in which they moved
    std::size_t table_size = 0;              // of Kafka's hash set, which never shrinks
  };
  TopicIndex topic(PartitionIndex p) const { return group_.partitions[at(p)].topic; }

  // The one that the iterator of Kafka's HashSet<TopicPartition> names first.
  PartitionIndex first_of(const MovedPartitions& movement) const {
    return *std::min_element(movement.partitions.begin(), movement.partitions.end(),
                             [&](PartitionIndex a, PartitionIndex b) {
                               return java_hash_bucket(hash_of(a), movement.table_size) <
                                      java_hash_bucket(hash_of(b), movement.table_size);
                             });
  }
  // TopicPartition.hashCode
  std::int32_t hash_of(PartitionIndex p) const {
    const auto number = static_cast<std::uint32_t>(group_.partitions[at(p)].number);
    const auto name_hash = static_cast<std::uint32_t>(group_.topics[at(topic(p))].name_hash);
    return static_cast<std::int32_t>(31 * (31 + number) + name_hash);
  }

  const GroupView& group_;
  std::map<PartitionIndex, Pair> moved_;
  std::map<std::pair<TopicIndex, Pair>, MovedPartitions> by_pair_;
};

// Subscriptions differ: partitions move while that improves the balance.
class GeneralAssignment {
 public:
  GeneralAssignment(const GroupView& group, const RackInfo& racks, const Claims& claims)
      : group_(group),
        racks_(racks),
        current_(claims.owned),
        owner_(group.partitions.size(), -1),
        previous_(group.partitions.size(), -1),
        candidates_(group.topics.size()),
        movements_(group) {
    for (std::size_t topic = 0; topic < group.topics.size(); ++topic) {
      for (MemberIndex m = 0; m < group.member_count(); ++m) {
        if (group.members[at(m)].subscribed[topic]) candidates_[topic].push_back(m);
      }
    }
    for (PartitionIndex p = 0; p < group.partition_count(); ++p) in_order_.push_back(p);
    std::stable_sort(in_order_.begin(), in_order_.end(), [&](PartitionIndex a, PartitionIndex b) {
      return candidates_of(a).size() < candidates_of(b).size();
    });
    remember_older_claims(claims.newest_generation);
  }

  MemberPartitions build() {
    const std::vector<PartitionIndex> unassigned = keep_owned();
    for (MemberIndex m = 0; m < group_.member_count(); ++m) by_load_.emplace(load(m), m);
    const bool initializing = by_load_.rbegin()->first == 0;
    // First all that find a member in one of their racks, then the rest.
    std::vector<PartitionIndex> without_member = unassigned;
    if (racks_.in_use())
      std::erase_if(without_member, [this](PartitionIndex p) { return assign_to_least_loaded(p, true); });
    for (const PartitionIndex p : without_member) assign_to_least_loaded(p, false);
    balance(initializing, unassigned);
    return std::move(current_);
  }

 private:
  int load(MemberIndex m) const { return static_cast<int>(current_[at(m)].size()); }
  const std::vector<MemberIndex>& candidates_of(PartitionIndex p) const {
    return candidates_[at(group_.partitions[at(p)].topic)];
  }

  // Claims of a generation before the newest: worth going back to, but not kept.
  void remember_older_claims(int newest_generation) {
    std::vector<int> generation(group_.partitions.size(), -2);
    for (MemberIndex m = 0; m < group_.member_count(); ++m) {
      const GroupView::Member& member = group_.members[at(m)];
      if (member.generation >= newest_generation) continue;
      for (const PartitionIndex p : member.owned) {
        if (member.generation <= generation[at(p)]) continue;
        generation[at(p)] = member.generation;
        previous_[at(p)] = m;
      }
    }
  }

  // Returns what is left to be assigned, in order.
  std::vector<PartitionIndex> keep_owned() {
    for (MemberIndex m = 0; m < group_.member_count(); ++m) {
      std::vector<PartitionIndex> kept;
      for (const PartitionIndex p : current_[at(m)]) {
        if (!group_.subscribed(m, p) || racks_.mismatch(m, p)) {
          revocation_required_ = true;
        } else {
          kept.push_back(p);
          owner_[at(p)] = m;
        }
      }
      current_[at(m)] = std::move(kept);
    }
    std::vector<PartitionIndex> unassigned;
    for (const PartitionIndex p : in_order_) {
      if (owner_[at(p)] < 0) unassigned.push_back(p);
    }
    return unassigned;
  }

  bool assign_to_least_loaded(PartitionIndex p, bool only_near) {
    for (const auto& [count, member] : by_load_) {
      if (!group_.subscribed(member, p) || (only_near && racks_.mismatch(member, p))) continue;
      const MemberIndex taker = member;
      by_load_.erase({load(taker), taker});
      current_[at(taker)].push_back(p);
      owner_[at(p)] = taker;
      by_load_.emplace(load(taker), taker);
      return true;
    }
    return false;
  }

  int most_it_may_have(MemberIndex m) const {
    int most = 0;
    for (std::size_t topic = 0; topic < group_.topics.size(); ++topic) {
      if (group_.members[at(m)].subscribed[topic]) most += group_.topics[topic].partitions;
    }
    return most;
  }

  bool may_take_part(MemberIndex m) const {
    if (load(m) < most_it_may_have(m)) return true;
    return std::any_of(current_[at(m)].begin(), current_[at(m)].end(),
                       [&](PartitionIndex p) { return candidates_of(p).size() >= 2; });
  }

  void balance(bool initializing, const std::vector<PartitionIndex>& unassigned) {
    const auto movable = [&](const std::vector<PartitionIndex>& partitions) {
      std::vector<PartitionIndex> out;
      std::copy_if(partitions.begin(), partitions.end(), std::back_inserter(out),
                   [&](PartitionIndex p) { return candidates_of(p).size() >= 2; });
      return out;
    };
    for (MemberIndex m = 0; m < group_.member_count(); ++m) {
      if (!may_take_part(m)) by_load_.erase({load(m), m});
    }
    const MemberPartitions before = current_;
    const std::int64_t score_before = score();
    // If nothing has to be revoked anyway, moving only what is new may be enough.
    if (!revocation_required_) reassign(movable(unassigned));
    const bool moved = reassign(movable(in_order_));
    if (!initializing && moved && score() >= score_before) current_ = before;
  }

  // Sum of the differences between all pairs of members that take part.
  std::int64_t score() const {
    std::int64_t sum = 0;
    for (auto a = by_load_.begin(); a != by_load_.end(); ++a) {
      for (auto b = std::next(a); b != by_load_.end(); ++b) sum += b->first - a->first;
    }
    return sum;
  }

  bool is_balanced() const {
    if (by_load_.empty() || by_load_.begin()->first >= by_load_.rbegin()->first - 1) return true;
    for (const auto& [count, member] : by_load_) {
      if (count == most_it_may_have(member)) continue;
      for (PartitionIndex p = 0; p < group_.partition_count(); ++p) {
        if (!group_.subscribed(member, p) || owner_[at(p)] == member || owner_[at(p)] < 0) continue;
        if (count + 1 < load(owner_[at(p)])) return false;
      }
    }
    return true;
  }

  bool reassign(const std::vector<PartitionIndex>& partitions) {
    bool ever = false;
    bool modified = true;
    while (modified) {
      modified = false;
      for (const PartitionIndex p : partitions) {
        if (is_balanced()) break;
        const MemberIndex better = better_owner(p);
        if (better < 0) continue;
        move(movements_.to_be_moved(p, owner_[at(p)], better), better);
        ever = modified = true;
      }
    }
    return ever;
  }

  // -1: it stays.
  MemberIndex better_owner(PartitionIndex p) const {
    const MemberIndex owner = owner_[at(p)];
    if (owner < 0) return -1;
    // Back to an older claim, even of a member that has given up the topic since: Kafka does not ask. (A
    // member that takes no part is no longer in Kafka's map, and asking for its load there ends the rebalance
    // with a NullPointerException; here it is passed over.)
    const MemberIndex previous = previous_[at(p)];
    if (previous >= 0 && by_load_.contains({load(previous), previous}) && load(owner) > load(previous) + 1)
      return previous;
    const auto lighter = [&](MemberIndex m) { return load(owner) > load(m) + 1; };
    if (std::none_of(candidates_of(p).begin(), candidates_of(p).end(), lighter)) return -1;
    for (const auto& [count, member] : by_load_) {
      if (group_.subscribed(member, p)) return member;
    }
    return -1;
  }

  void move(PartitionIndex p, MemberIndex to) {
    const MemberIndex from = owner_[at(p)];
    movements_.move(p, from, to);
    by_load_.erase({load(from), from});
    by_load_.erase({load(to), to});
    remove(current_[at(from)], p);
    current_[at(to)].push_back(p);
    owner_[at(p)] = to;
    by_load_.emplace(load(from), from);
    by_load_.emplace(load(to), to);
  }

  const GroupView& group_;
  const RackInfo& racks_;
  MemberPartitions current_;
  std::vector<MemberIndex> owner_, previous_;         // by partition; -1 = none
  std::vector<std::vector<MemberIndex>> candidates_;  // by topic
  std::vector<PartitionIndex> in_order_;              // those with the fewest candidates first
  std::set<std::pair<int, MemberIndex>> by_load_;     // members that take part, least loaded first
  Movements movements_;
  bool revocation_required_ = false;
};

// What one member gets while another has claimed it and does not keep it.
std::vector<std::pair<PartitionIndex, MemberIndex>> changing_hands(const GroupView& group,
                                                                   const MemberPartitions& assigned) {
  std::vector<MemberIndex> taker(group.partitions.size(), -1);
  for (MemberIndex m = 0; m < group.member_count(); ++m) {
    for (const PartitionIndex p : assigned[at(m)]) taker[at(p)] = m;
  }
  std::set<std::pair<PartitionIndex, MemberIndex>> out;
  for (MemberIndex m = 0; m < group.member_count(); ++m) {
    for (const PartitionIndex p : group.members[at(m)].owned) {
      const MemberIndex to = taker[at(p)];
      if (to < 0 || to == m) continue;
      const std::vector<PartitionIndex>& mine = group.members[at(to)].owned;
      if (std::find(mine.begin(), mine.end(), p) == mine.end()) out.emplace(p, to);
    }
  }
  return {out.begin(), out.end()};
}

}  // namespace

MemberPartitions assign_sticky(const GroupView& group, bool cooperative) {
  if (group.members.empty()) return {};
  const Claims claims = read_claims(group);
  const RackInfo racks(group);
  MemberPartitions assigned;
  std::vector<std::pair<PartitionIndex, MemberIndex>> transferring;
  if (claims.all_subscriptions_equal) {
    ConstrainedAssignment constrained(group, racks, claims);
    assigned = constrained.build();
    transferring = constrained.transferring();
  } else {
    assigned = GeneralAssignment(group, racks, claims).build();
    transferring = changing_hands(group, assigned);
  }
  if (cooperative) {
    for (const auto& [partition, member] : transferring) remove(assigned[at(member)], partition);
  }
  return assigned;
}

}  // namespace sim::client
