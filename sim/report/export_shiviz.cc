// What changed in a window, with vector clocks, as ShiViz reads it (Beschastnikh et al., CACM 59(8), 2016).
#include <map>
#include <string>
#include <utility>

#include "base/human.h"
#include "report/export.h"
#include "report/export_events.h"
#include "report/words.h"

namespace sim::report {
namespace {

constexpr std::size_t kMostShownEvents = 5'000;  // that a browser can still draw

// Processes tick for the events that are shown only. A message that is not shown carries its sender's clock
// all the same, so that what happened before what is right whatever is left out.
class VectorClocks {
 public:
  using Clock = std::map<std::string, std::int64_t>;

  const Clock& tick(const std::string& process) {
    Clock& clock = clocks_[process];
    ++clock[process];
    return clock;
  }
  void sent(const std::string& process, const std::string& message) {
    const auto found = clocks_.find(process);
    if (found != clocks_.end()) under_way_[message] = found->second;
  }
  void delivered(const std::string& process, const std::string& message) {
    const auto found = under_way_.find(message);
    if (found == under_way_.end()) return;  // it left before the window, or knew of nothing that is shown
    Clock& clock = clocks_[process];
    for (const auto& [other, count] : found->second) {
      std::int64_t& here = clock[other];
      if (here < count) here = count;
    }
    under_way_.erase(found);
  }

 private:
  std::map<std::string, Clock> clocks_;
  std::map<std::string, Clock> under_way_;  // by message
};

std::string event_text(const EventJson& event, const char* key) {
  return event.contains(key) && event[key].is_string() ? event[key].get<std::string>() : std::string();
}

class ShivizLog {
 public:
  // A line with the parser's expression, one that says that there is one execution only; then the events.
  ShivizLog() : text_("(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})\n\n") {}

  void add(const EventJson& event) {
    const std::string ev = event_text(event, "ev");
    if (ev == "MessageSent" || ev == "MessageDelivered") {
      add_message(event, ev == "MessageSent");
    } else if (ev == "FaultStruck" || ev == "FaultEnded") {
      for (const EventJson& process : event.value("touched", EventJson::array())) {
        if (process.is_string())
          show(event, process.get<std::string>(), "fault " + event_text(event, "fault"));
      }
    } else if (event["node"].is_string() &&
               (is_told_event(ev) || ev == "QuorumRoleChanged" || ev == "ControllerChanged" ||
                ev == "PartitionChanged" || ev == "BrokerStateChanged" || ev == "QuorumVoteAnswered")) {
      show(event, event["node"].get<std::string>(), words_of_event(event));
    }
  }

  std::size_t shown() const { return shown_; }
  std::string finish() { return std::move(text_); }

 private:
  void add_message(const EventJson& event, bool is_sent) {
    const std::string from = event_text(event, "from");
    const std::string to = event_text(event, "to");
    const std::string message = event_text(event, "msg");
    const std::string correlation =
        event.contains("correlation") ? text_of_field(event["correlation"]) : std::string();
    // A request and its answer have the same correlation, but not the same name.
    const std::string key =
        from + ">" + to + "/" + event_text(event, "lane") + "/" + correlation + "/" + message;
    const bool is_shown = is_control_message(message);
    if (is_sent) {
      if (is_shown) show(event, from, "sends " + message + " to " + to);
      clocks_.sent(from, key);
    } else {
      clocks_.delivered(to, key);
      if (is_shown) show(event, to, "receives " + message + " from " + from);
    }
  }

  void show(const EventJson& event, const std::string& process, const std::string& what) {
    if (++shown_ > kMostShownEvents) return;
    text_ += fixed(event["t"].get<std::int64_t>() / 1'000, 6) + " s " + what + "\n" + process + " {";
    bool is_first = true;
    for (const auto& [other, count] : clocks_.tick(process)) {
      text_ += (is_first ? "" : ", ") + EventJson(other).dump() + ":" + std::to_string(count);
      is_first = false;
    }
    text_ += "}\n";
  }

  VectorClocks clocks_;
  std::string text_;
  std::size_t shown_ = 0;
};

}  // namespace

Result<std::string> shiviz_of(const ExportRequest& request) {
  auto window = request.window;
  if (!window && !request.order.empty()) {
    const auto order = find_order(request.run, request.order);
    if (!order) return order.problems();
    window = std::pair(Duration{order->intended}, Duration{order->ended + 1});
  }
  ShivizLog log;
  bool has_messages = false;
  const auto failed = for_each_event(request.run, window, [&](const EventJson& event) {
    has_messages = has_messages || event.value("ev", "") == "MessageSent";
    log.add(event);
  });
  if (failed) return *failed;
  if (log.shown() == 0)
    return problem_with(request.run, "nothing changed in that window",
                        "choose another with --window FROM..TO");
  if (!has_messages) {
    return problem_with(request.run,
                        "its trace has no messages, without which nothing says what came before what",
                        "run it with --trace full");
  }
  if (log.shown() > kMostShownEvents) {
    return problem_with(request.run,
                        "has more events than a browser can draw (" + human_count(log.shown()) +
                            " of at most " + human_count(kMostShownEvents) + ")",
                        "choose some with --window FROM..TO");
  }
  return log.finish();
}

}  // namespace sim::report
