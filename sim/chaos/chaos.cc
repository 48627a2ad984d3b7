#include "chaos/chaos.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <numeric>

#include "base/check.h"

namespace sim::chaos {
namespace {

constexpr std::string_view kNames[] = {"kill",    "powerloss", "stop", "restart", "pause",    "partition",
                                       "swizzle", "delay",     "loss", "reset",   "io-delay", "slow-cpu"};
static_assert(std::size(kNames) == std::size(kAllKinds));

template <class T>
const T& one_of(const std::vector<T>& all, Rng& rng) {
  return all[static_cast<std::size_t>(rng.below(all.size()))];
}

// In the order of the kinds; at least one.
std::vector<Kind> swarm_of(const Spec& spec, const Rng& rng) {
  if (!spec.swarm) return spec.kinds;
  Rng coin = rng.child("swarm");
  std::vector<Kind> active;
  for (const Kind kind : spec.kinds) {
    const bool is_active = coin.bernoulli(1, 2);
    if (is_active) active.push_back(kind);
  }
  if (active.empty()) active.push_back(one_of(spec.kinds, coin));
  return active;
}

class Drawing {
 public:
  Drawing(const Spec& spec, const Surroundings& around, const Rng& rng)
      : spec_(spec), around_(around), rng_(rng) {}

  std::vector<DrawnFault> all() {
    const std::vector<Kind> kinds = swarm_of(spec_, rng_);
    Rng gaps = rng_.child("gaps");
    Duration at = spec_.from;
    for (std::int64_t i = 0; i < spec_.budget; ++i) {
      if (i != 0) at += Duration{spec_.gap.sample(gaps)};
      Rng rng = rng_.child("fault " + std::to_string(i + 1));
      const Kind kind = one_of(kinds, rng);
      const Duration wanted{std::max<std::int64_t>(spec_.length.sample(rng), 1'000'000)};
      const Duration begins = when_there_is_room(at);
      if (begins >= spec_.until) break;
      at = begins;
      add(kind, i + 1, begins, std::min(wanted, spec_.until - begins), rng);
    }
    std::stable_sort(drawn_.begin(), drawn_.end(),
                     [](const DrawnFault& a, const DrawnFault& b) { return a.at < b.at; });
    return std::move(drawn_);
  }

 private:
  // The first instant from `at` on at which fewer than `at_once` last.
  Duration when_there_is_room(Duration at) const {
    std::vector<Duration> ends;
    for (const Duration end : ends_) {
      if (end > at) ends.push_back(end);
    }
    std::sort(ends.begin(), ends.end());
    const auto most = static_cast<std::size_t>(spec_.at_once);
    return ends.size() < most ? at : ends[ends.size() - most];
  }

  void add(Kind kind, std::int64_t number, Duration at, Duration lasts, Rng& rng) {
    const std::string name = "chaos-" + std::to_string(number) + "-" + std::string(name_of(kind));
    if (kind == Kind::swizzle) return add_swizzle(name, at, lasts, rng);
    DrawnFault fault{name, at, lasts, {}, {}, std::string(name_of(kind)), {}};
    fault.body = body_of(kind, rng);
    if (spec_.moments) fault.when = moment(rng);
    if (!fault.when.empty()) {  // the time it has is there for both, so that the next one finds room
      fault.waits = std::max(lasts / 2, Duration{1'000'000});
      fault.lasts = fault.waits;
    }
    if (kind == Kind::restart || kind == Kind::reset) fault.lasts = Duration{};
    ends_.push_back(at + lasts);
    drawn_.push_back(std::move(fault));
  }

  // Cut off one by one, back one by one in another order.
  void add_swizzle(const std::string& name, Duration at, Duration lasts, Rng& rng) {
    std::vector<std::int64_t> brokers(static_cast<std::size_t>(around_.brokers));
    std::iota(brokers.begin(), brokers.end(), 1);
    shuffle(brokers, rng);
    if (brokers.size() > 2) {
      const auto left_out = static_cast<std::size_t>(rng.below(brokers.size() - 1));
      brokers.resize(brokers.size() - left_out);
    }
    std::vector<std::int64_t> back = brokers;
    shuffle(back, rng);
    const auto steps = static_cast<std::int64_t>(2 * brokers.size());
    const Duration step = std::max(lasts / steps, Duration{1'000'000});
    for (std::size_t i = 0; i < brokers.size(); ++i) {
      const auto place =
          static_cast<std::size_t>(std::find(back.begin(), back.end(), brokers[i]) - back.begin());
      const std::string broker = "broker-" + std::to_string(brokers[i]);
      const Duration begins = at + step * static_cast<std::int64_t>(i);
      const Duration ends = at + step * static_cast<std::int64_t>(brokers.size() + place + 1);
      drawn_.push_back({name + "-" + broker,
                        begins,
                        ends - begins,
                        {},
                        {},
                        "partition",
                        "{isolate: " + broker + ", direction: both}"});
    }
    ends_.push_back(at + step * steps);
  }

  static void shuffle(std::vector<std::int64_t>& values, Rng& rng) {
    for (std::size_t i = values.size(); i > 1; --i) {
      const auto j = static_cast<std::size_t>(rng.below(i));
      std::swap(values[i - 1], values[j]);
    }
  }

  std::string body_of(Kind kind, Rng& rng) {
    switch (kind) {
      case Kind::kill:
      case Kind::powerloss:
      case Kind::stop:
      case Kind::restart:
      case Kind::pause: return "{target: " + server(rng) + "}";
      case Kind::partition: return partition(rng);
      case Kind::swizzle: break;
      case Kind::delay: {
        const std::string target = server(rng);
        const auto ms = rng.between(20, 1'500);
        return "{target: " + target + ", direction: " + direction(rng) + ", by: " + std::to_string(ms) +
               "ms}";
      }
      case Kind::loss: {
        const std::string target = server(rng);
        const auto percent = rng.between(1, 40);
        return "{target: " + target + ", direction: " + direction(rng) +
               ", rate: " + std::to_string(percent) + "%}";
      }
      case Kind::reset: return "{target: " + server(rng) + "}";
      case Kind::io_delay: {
        const std::string target = broker(rng);
        const auto factor = rng.between(5, 200);
        return "{target: " + target + ", factor: " + std::to_string(factor) + "}";
      }
      case Kind::slow_cpu: {
        const std::string target = broker(rng);
        const auto factor = rng.between(2, 50);
        return "{target: " + target + ", factor: " + std::to_string(factor) + "}";
      }
    }
    SIM_CHECK(false, "a swizzle is several faults");
    return {};
  }

  std::string partition(Rng& rng) {
    const auto shape = rng.below(4);
    if (shape == 0 && around_.brokers + around_.controllers > 3) return "majorities-ring";
    if (shape == 1 && around_.brokers + around_.controllers > 3) return "halves";
    const std::string target = server(rng);
    return "{isolate: " + target + ", direction: " + direction(rng) + "}";
  }

  static std::string direction(Rng& rng) {
    const auto draw = rng.below(4);
    return draw == 0 ? "to" : draw == 1 ? "from" : "both";
  }

  std::string topic_partition(Rng& rng) {
    const Topic& topic = one_of(around_.topics, rng);
    const auto partition = rng.below(static_cast<std::uint64_t>(topic.partitions));
    return topic.name + "-" + std::to_string(partition);
  }

  // A role more often than a number: what matters is what a server is doing.
  std::string broker(Rng& rng) {
    const auto draw = rng.below(8);
    if (draw < 4 && !around_.topics.empty()) return "\"leader(" + topic_partition(rng) + ")\"";
    if (draw == 4 && !around_.groups.empty()) return "\"coordinator(" + one_of(around_.groups, rng) + ")\"";
    if (draw == 5 && !around_.topics.empty() && around_.topics.front().replicas > 1) {
      const Topic& topic = around_.topics.front();
      const auto number = rng.below(static_cast<std::uint64_t>(topic.partitions));
      return "\"follower(" + topic.name + "-" + std::to_string(number) + ", 1)\"";
    }
    const auto number = rng.below(static_cast<std::uint64_t>(around_.brokers));
    return "broker-" + std::to_string(number + 1);
  }
  std::string server(Rng& rng) {
    const bool is_controller = rng.bernoulli(1, 4) && around_.controllers > 1;
    if (is_controller) return "controller";
    return broker(rng);
  }

  // Half of the faults wait for none.
  std::string moment(Rng& rng) {
    const auto draw = rng.below(8);
    const bool has_topics = !around_.topics.empty(), has_groups = !around_.groups.empty();
    if (draw < 2 && has_topics) return "append(" + topic_partition(rng) + ")";
    if (draw == 2 && has_topics) return "isr_change(" + one_of(around_.topics, rng).name + ")";
    if (draw == 3 && has_groups) return "rebalance(" + one_of(around_.groups, rng) + ")";
    return {};
  }

  const Spec& spec_;
  const Surroundings& around_;
  const Rng& rng_;
  std::vector<DrawnFault> drawn_;
  std::vector<Duration> ends_;
};

}  // namespace

std::string_view name_of(Kind kind) {
  return kNames[static_cast<std::size_t>(kind)];
}

std::vector<DrawnFault> draw(const Spec& spec, const Surroundings& around, const Rng& rng) {
  SIM_CHECK(!spec.kinds.empty() && spec.from < spec.until && spec.at_once > 0, "chaos has room");
  return Drawing(spec, around, rng).all();
}

}  // namespace sim::chaos
