#include "group/server_assignor.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "base/check.h"

namespace sim::group {

std::int32_t AssignmentInput::partitions_of(TopicId topic) const {
  const auto it = std::lower_bound(topics.begin(), topics.end(), topic,
                                   [](const AssignedTopic& one, TopicId id) { return one.id < id; });
  SIM_CHECK(it != topics.end() && it->id == topic, "members subscribe to topics that are described");
  return it->partitions;
}

namespace {

bool is_subscribed(const AssignedMember& member, TopicId topic) {
  return std::binary_search(member.subscription.begin(), member.subscription.end(), topic);
}

// ---- Range

// Static members in order of their instance ids, then the others in order of their ids.
std::vector<std::size_t> range_order(const AssignmentInput& input) {
  std::vector<std::size_t> order(input.members.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const AssignedMember& one = input.members[a];
    const AssignedMember& other = input.members[b];
    if (one.instance_id.empty() != other.instance_id.empty()) return !one.instance_id.empty();
    return one.instance_id != other.instance_id ? one.instance_id < other.instance_id : one.id < other.id;
  });
  return order;
}

// ---- Uniform, all members subscribed to the same topics

class EvenQuotas {
 public:
  explicit EvenQuotas(const AssignmentInput& input) : input_(input) {}

  Assignment build() {
    collect_unassigned();
    keep_within_quotas();
    std::size_t next = 0;
    for (const Unfilled& member : unfilled_) {
      for (std::int32_t i = 0; i < member.quota && next < unassigned_.size(); ++i)
        result_[member.index].push_back(unassigned_[next++]);
    }
    SIM_CHECK(next == unassigned_.size(), "the quotas add up to all partitions");
    for (std::vector<TopicPartition>& partitions : result_) std::sort(partitions.begin(), partitions.end());
    return std::move(result_);
  }

 private:
  struct Unfilled {
    std::size_t index;
    std::int32_t quota;
  };

  void collect_unassigned() {
    std::vector<TopicPartition> taken;
    for (const AssignedMember& member : input_.members)
      taken.insert(taken.end(), member.current.begin(), member.current.end());
    std::sort(taken.begin(), taken.end());
    for (const TopicId topic : input_.members.front().subscription) {
      const std::int32_t partitions = input_.partitions_of(topic);
      for (std::int32_t partition = 0; partition < partitions; ++partition) {
        const TopicPartition tp{topic, partition};
        if (!std::binary_search(taken.begin(), taken.end(), tp)) unassigned_.push_back(tp);
      }
      total_ += partitions;
    }
  }

  // What is beyond a member's quota, or no longer subscribed to, is taken from it. One partition more than
  // the least is for whoever has it already; the last members take what extra ones are left.
  void keep_within_quotas() {
    const auto members = static_cast<std::int32_t>(input_.members.size());
    const std::int32_t least = total_ / members;
    std::int32_t extra = total_ % members;
    result_.resize(input_.members.size());
    for (std::int32_t index = 0; index < members; ++index) {
      const AssignedMember& member = input_.members[static_cast<std::size_t>(index)];
      std::vector<TopicPartition>& kept = result_[static_cast<std::size_t>(index)];
      bool has_extra = extra > 0;
      std::int32_t quota = least + (has_extra ? 1 : 0);
      for (const TopicPartition tp : member.current) {
        if (!is_subscribed(member, tp.topic) || tp.partition >= input_.partitions_of(tp.topic)) continue;
        if (quota > 0) {
          --quota;
          kept.push_back(tp);
        } else {
          unassigned_.push_back(tp);
        }
      }
      if (quota > 0 && has_extra && members - index > extra) {
        --quota;
        has_extra = false;
      }
      if (quota > 0) unfilled_.push_back(Unfilled{static_cast<std::size_t>(index), quota});
      if (has_extra) --extra;
    }
  }

  const AssignmentInput& input_;
  std::int32_t total_ = 0;
  std::vector<TopicPartition> unassigned_;
  std::vector<Unfilled> unfilled_;
  Assignment result_;
};

// ---- Uniform, members subscribed to different topics

// The subscribers of a topic in order of how much they have: partitions go from the last to the first, level
// by level, until the two meet.
class Levels {
 public:
  Levels(std::vector<std::size_t> subscribers, const std::vector<std::int32_t>& sizes) : sizes_(sizes) {
    order_ = std::move(subscribers);
    std::sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
      return sizes_[a] != sizes_[b] ? sizes_[a] < sizes_[b] : a < b;
    });
    low_level_ = sizes_[order_.front()] - 1;
    high_level_ = sizes_[order_.back()] + 1;
    high_begin_ = high_end_ = count();
    next_high_ = count() - 1;
  }
  bool even_from_the_start() const { return sizes_[order_.back()] - sizes_[order_.front()] <= 1; }
  bool met() const { return high_level_ - low_level_ <= 1; }

  std::size_t next_low() {
    if (next_low_ >= low_end_) {
      ++low_level_;
      while (low_end_ < count() && sizes_[at(low_end_)] == low_level_) ++low_end_;
      next_low_ = 0;
    }
    return at(next_low_++);
  }
  // Nothing: nobody is left to take from.
  std::optional<std::size_t> next_high() {
    if (next_high_ < high_begin_) {
      if (high_end_ <= high_begin_ && high_begin_ > 0) {
        high_level_ = sizes_[at(high_begin_ - 1)];
      } else {
        --high_level_;
      }
      while (high_begin_ > 0 && sizes_[at(high_begin_ - 1)] == high_level_) --high_begin_;
      next_high_ = high_end_ - 1;
    }
    if (next_high_ < 0) return std::nullopt;
    return at(next_high_--);
  }
  // The one that next_high() named has nothing to give.
  void exclude_last_high() {
    std::swap(order_[static_cast<std::size_t>(next_high_ + 1)],
              order_[static_cast<std::size_t>(high_end_ - 1)]);
    --high_end_;
  }

 private:
  std::ptrdiff_t count() const { return std::ssize(order_); }
  std::size_t at(std::ptrdiff_t position) const { return order_[static_cast<std::size_t>(position)]; }

  const std::vector<std::int32_t>& sizes_;  // by member, as they become
  std::vector<std::size_t> order_;
  std::ptrdiff_t low_end_ = 0, next_low_ = 0;
  std::ptrdiff_t high_begin_ = 0, high_end_ = 0, next_high_ = 0;
  std::int32_t low_level_ = 0, high_level_ = 0;
};

class EvenByTopic {
 public:
  explicit EvenByTopic(const AssignmentInput& input) : input_(input), sizes_(input.members.size(), 0) {
    for (const AssignedTopic& topic : input.topics) {
      Topic one{topic.id, topic.partitions, {}, {}};
      for (std::size_t i = 0; i < input.members.size(); ++i) {
        if (is_subscribed(input.members[i], topic.id)) one.subscribers.push_back(i);
      }
      if (one.subscribers.empty()) continue;
      one.owners.assign(static_cast<std::size_t>(topic.partitions), kNobody);
      topics_.push_back(std::move(one));
    }
  }

  Assignment build() {
    keep_subscribed();
    std::sort(topics_.begin(), topics_.end(),
              [](const Topic& a, const Topic& b) { return a.goes_before(b); });
    for (Topic& topic : topics_) {
      Levels levels(topic.subscribers, sizes_);
      for (std::int32_t& owner : topic.owners) {
        if (owner == kNobody) give(owner, levels.next_low());
      }
    }
    balance();
    Assignment result(input_.members.size());
    for (const Topic& topic : topics_) {
      for (std::size_t partition = 0; partition < topic.owners.size(); ++partition) {
        result[static_cast<std::size_t>(topic.owners[partition])].push_back(
            TopicPartition{topic.id, static_cast<std::int32_t>(partition)});
      }
    }
    for (std::vector<TopicPartition>& partitions : result) std::sort(partitions.begin(), partitions.end());
    return result;
  }

 private:
  static constexpr std::int32_t kNobody = -1;
  static constexpr int kMostRounds = 16;  // MAX_ITERATION_COUNT

  struct Topic {
    TopicId id;
    std::int32_t partitions;
    std::vector<std::size_t> subscribers;
    std::vector<std::int32_t> owners;

    // Most partitions per subscriber first, then fewest subscribers.
    bool goes_before(const Topic& other) const {
      const std::int64_t mine = std::int64_t{partitions} * std::ssize(other.subscribers);
      const std::int64_t theirs = std::int64_t{other.partitions} * std::ssize(subscribers);
      if (mine != theirs) return mine > theirs;
      if (subscribers.size() != other.subscribers.size())
        return subscribers.size() < other.subscribers.size();
      return id < other.id;
    }
  };

  void give(std::int32_t& owner, std::size_t member) {
    if (owner != kNobody) --sizes_[static_cast<std::size_t>(owner)];
    owner = static_cast<std::int32_t>(member);
    ++sizes_[member];
  }

  void keep_subscribed() {
    for (std::size_t i = 0; i < input_.members.size(); ++i) {
      for (const TopicPartition tp : input_.members[i].current) {
        if (!is_subscribed(input_.members[i], tp.topic)) continue;
        const auto topic = std::find_if(topics_.begin(), topics_.end(),
                                        [&](const Topic& one) { return one.id == tp.topic; });
        if (tp.partition < topic->partitions) give(topic->owners[static_cast<std::size_t>(tp.partition)], i);
      }
    }
  }

  // Round after round over the topics with several subscribers, until a whole round has changed nothing.
  void balance() {
    std::vector<Topic*> shared;
    for (Topic& topic : topics_) {
      if (topic.subscribers.size() >= 2) shared.push_back(&topic);
    }
    std::optional<std::size_t> last_changed;
    for (int round = 0; round < kMostRounds; ++round) {
      for (std::size_t i = 0; i < shared.size(); ++i) {
        if (i == last_changed) return;
        if (balance(*shared[i]) || !last_changed) last_changed = i;
      }
    }
  }

  bool balance(Topic& topic) {
    Levels levels(topic.subscribers, sizes_);
    if (levels.even_from_the_start()) return false;
    std::vector<std::vector<std::size_t>> owned(input_.members.size());  // the last is given away first
    for (std::size_t partition = 0; partition < topic.owners.size(); ++partition)
      owned[static_cast<std::size_t>(topic.owners[partition])].push_back(partition);
    bool changed = false;
    while (!levels.met()) {
      std::optional<std::size_t> from = levels.next_high();
      while (from && owned[*from].empty()) {
        levels.exclude_last_high();
        from = levels.next_high();
      }
      if (!from) break;
      const std::size_t partition = owned[*from].back();
      owned[*from].pop_back();
      const std::size_t to = levels.next_low();
      if (levels.met()) break;
      give(topic.owners[partition], to);
      changed = true;
    }
    return changed;
  }

  const AssignmentInput& input_;
  std::vector<std::int32_t> sizes_;  // by member: how many partitions it has
  std::vector<Topic> topics_;
};

}  // namespace

Assignment assign_range(const AssignmentInput& input) {
  struct Share {
    std::int32_t subscribers = 0;
    std::int32_t served = 0;
    std::int32_t next = 0;
  };
  std::vector<Share> shares(input.topics.size());
  const auto index_of = [&](TopicId topic) {
    return static_cast<std::size_t>(
        std::lower_bound(input.topics.begin(), input.topics.end(), topic,
                         [](const AssignedTopic& one, TopicId id) { return one.id < id; }) -
        input.topics.begin());
  };
  for (const AssignedMember& member : input.members) {
    for (const TopicId topic : member.subscription) ++shares[index_of(topic)].subscribers;
  }
  Assignment result(input.members.size());
  for (const std::size_t member : range_order(input)) {
    for (const TopicId topic : input.members[member].subscription) {
      Share& share = shares[index_of(topic)];
      const std::int32_t partitions = input.partitions_of(topic);
      const bool one_more = share.served++ < partitions % share.subscribers;
      const std::int32_t end = share.next + partitions / share.subscribers + (one_more ? 1 : 0);
      for (; share.next < end; ++share.next) result[member].push_back(TopicPartition{topic, share.next});
    }
  }
  return result;
}

Assignment assign_uniform(const AssignmentInput& input) {
  if (input.members.empty()) return {};
  if (!input.homogeneous) return EvenByTopic(input).build();
  if (input.members.front().subscription.empty()) return Assignment(input.members.size());
  return EvenQuotas(input).build();
}

}  // namespace sim::group
