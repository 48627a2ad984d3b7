#include "play/twin.h"

#include <algorithm>
#include <utility>

#include "play/play.h"

namespace sim::play {

void RecentLines::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    if (!is_growing_) lines_.emplace_back();
    lines_.back() += bytes.substr(0, end);
    is_growing_ = end == std::string_view::npos;
    if (is_growing_) return;
    bytes.remove_prefix(end + 1);
    if (lines_.size() <= kKept) continue;
    lines_.pop_front();
    ++dropped_;
  }
}

Twin::Twin(const scenario::Scenario& scenario, cluster::Cluster& first, std::optional<Duration> until)
    : first_(first), second_(scenario.cluster), first_watch_(first.names()), second_watch_(second_.names()) {
  second_.set_time_limit(last_instant(scenario, until));
  if (scenario.event_budget != 0) second_.set_event_budget(scenario.event_budget);
  first_.observe(first_watch_);
  second_.observe(second_watch_);
}

bool Twin::keeps_step(bool has_stepped) {
  if (second_.step() != has_stepped) {
    tell_difference("the number of events");
  } else if (first_.fingerprint() != second_.fingerprint() || first_.now() != second_.now()) {
    tell_difference("the events");
  } else if (first_watch_.meaning.value() != second_watch_.meaning.value()) {
    tell_difference("what the events mean");
  }
  return !difference_;
}

void Twin::tell_difference(std::string what) {
  constexpr std::size_t kBefore = 10;
  TwinDifference difference;
  difference.event = std::max(first_.events_fired(), second_.events_fired());
  difference.at = std::min(first_.now(), second_.now());
  difference.what = std::move(what);
  first_watch_.log.flush();
  second_watch_.log.flush();
  const RecentLines& a = first_watch_.recent;
  const RecentLines& b = second_watch_.recent;
  const auto line = [](const RecentLines& recent, std::uint64_t number) {
    const std::uint64_t place = number - recent.dropped();
    return place < recent.lines().size() ? recent.lines()[place] : std::string();
  };
  std::uint64_t number = std::max(a.dropped(), b.dropped());
  const std::uint64_t end = std::max(a.dropped() + a.lines().size(), b.dropped() + b.lines().size());
  while (number < end && line(a, number) == line(b, number)) {
    difference.before.push_back(line(a, number));
    ++number;
  }
  if (difference.before.size() > kBefore)
    difference.before.erase(difference.before.begin(), difference.before.end() - kBefore);
  difference.first = line(a, number);
  difference.second = line(b, number);
  difference_ = std::move(difference);
}

}  // namespace sim::play
