// Orders as Chrome trace events, which Perfetto reads: a process per node, in it a thread per order with a
// slice per stage; arrows where a message carries the order from node to node; counters from metrics.csv.
#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/human.h"
#include "report/export.h"
#include "report/words.h"

namespace sim::report {
namespace {

constexpr std::size_t kMostOrders = 5'000;  // rows that a viewer can still show

std::string json_string(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

class TraceEvents {
 public:
  // The number of a node's process; it is named when it is first asked for.
  std::size_t pid_of(const std::string& node) {
    const auto found = std::find(nodes_.begin(), nodes_.end(), node);
    if (found != nodes_.end()) return static_cast<std::size_t>(found - nodes_.begin()) + 1;
    nodes_.push_back(node);
    begin();
    text_ += R"({"name":"process_name","ph":"M","pid":)" + std::to_string(nodes_.size()) +
             R"(,"tid":0,"args":{"name":)" + json_string(node) + "}}";
    return nodes_.size();
  }

  // Slices in a row; what never happened is left out, and the time to the next that did belongs to that one.
  void slices(const std::string& node, const OrderRow& order, std::int64_t from,
              std::initializer_list<std::pair<const char*, std::int64_t>> stages) {
    for (const auto& [name, end] : stages) {
      if (end < 0 || from < 0) continue;
      if (end > from) slice(pid_of(node), order, name, from, end);
      from = std::max(from, end);
    }
  }

  // An arrow between the slices that are open on both sides at these times.
  void flow(const char* name, const OrderRow& order, const std::string& from_node, std::int64_t from,
            const std::string& to_node, std::int64_t to) {
    if (from < 0 || to < from) return;
    const std::size_t from_pid = pid_of(from_node);
    const std::size_t to_pid = pid_of(to_node);
    const std::string id = std::to_string(++flows_);
    for (const bool is_start : {true, false}) {
      begin();
      text_ += std::string(R"({"name":")") + name + R"(","cat":"order","ph":")" + (is_start ? "s" : "f") +
               "\"" + (is_start ? "" : R"(,"bp":"e")") + ",\"id\":" + id +
               ",\"pid\":" + std::to_string(is_start ? from_pid : to_pid) +
               ",\"tid\":" + std::to_string(order.number) + ",\"ts\":" + fixed(is_start ? from : to, 3) + "}";
    }
  }

  // `value` as it stands in metrics.csv.
  void counter(const std::string& name, const std::string& series, const std::string& at_s,
               const std::string& value) {
    const std::size_t pid = pid_of("metrics");
    begin();
    const std::size_t point = at_s.find('.');  // seconds with three digits behind the point
    const std::string us =
        at_s.substr(0, point) + (point == std::string::npos ? "000" : at_s.substr(point + 1)) + "000";
    const std::size_t digit = std::min(us.find_first_not_of('0'), us.size() - 1);
    text_ += R"({"name":)" + json_string(name) + R"(,"ph":"C","pid":)" + std::to_string(pid) +
             ",\"tid\":0,\"ts\":" + us.substr(digit) + ",\"args\":{" + json_string(series) + ":" + value +
             "}}";
  }

  std::string finish() { return "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n" + text_ + "\n]}\n"; }

 private:
  void begin() { text_ += text_.empty() ? "" : ",\n"; }

  void slice(std::size_t pid, const OrderRow& order, const char* name, std::int64_t from, std::int64_t end) {
    begin();
    text_ += std::string(R"({"name":")") + name + R"(","cat":"order","ph":"X","pid":)" + std::to_string(pid) +
             ",\"tid\":" + std::to_string(order.number) + ",\"ts\":" + fixed(from, 3) +
             ",\"dur\":" + fixed(end - from, 3) + R"(,"args":{"flow":)" + json_string(order.flow) +
             R"(,"outcome":)" + json_string(order.outcome) + "}}";
  }

  std::vector<std::string> nodes_;
  std::size_t flows_ = 0;
  std::string text_;
};

void add_order(TraceEvents& events, const OrderRow& order) {
  events.slices(order.flow, order, order.intended,
                {{"send_wait", order.accepted},
                 {"linger", order.batched},
                 {"retry", order.sent},
                 {"network", order.appended < 0 ? -1 : std::max(order.received, order.sent)}});
  if (order.appended < 0) return;
  const std::int64_t received = order.received >= 0 ? order.received : order.sent;
  events.slices(
      order.leader, order, received,
      {{"request_queue", order.dequeued}, {"append", order.appended}, {"replication", order.high_watermark}});
  events.flow("ProduceRequest", order, order.flow, order.sent, order.leader, received);
  events.slices(order.flow, order, std::max(order.high_watermark, received),
                {{"response", order.acknowledged}});
  std::int64_t last_fetched = -1;
  for (const OrderRow::Service& service : order.services) {
    if (service.fetched < 0) continue;
    const std::string node =
        service.name + (service.member >= 0 ? "[" + std::to_string(service.member) + "]" : "");
    events.slices(node, order, service.fetched,
                  {{"consumer_queue", service.started}, {"service", service.done}});
    events.slices(node, order, service.done, {{"commit", service.committed}});
    events.flow("FetchResponse", order, order.leader, order.high_watermark, node, service.fetched);
    last_fetched = std::max(last_fetched, service.fetched);
  }
  // On the leader the record waits until the last service has fetched it.
  events.slices(order.leader, order, order.high_watermark, {{"fetch_wait", last_fetched}});
}

bool is_counter(const std::string& column) {
  for (const char* begin : {"kafka_consumergroup_lag", "orders_in_flight", "kafka_network_RequestMetrics",
                            "kafka_server_ReplicaManager_UnderReplicatedPartitions"})
    if (column.starts_with(begin)) return true;
  return false;
}

// Without metrics.csv there are no counters; orders are shown all the same.
void add_counters(TraceEvents& events, const ExportRequest& request) {
  auto csv = CsvReader::open(request.run / "metrics.csv");
  if (!csv) return;
  while (csv->next()) {
    const std::string& at = csv->cells()[0];
    const std::int64_t second = whole_seconds(at);
    const auto& window = request.window;
    if (window && (second < millis(window->first) / 1000 || second > millis(window->second) / 1000)) continue;
    for (std::size_t i = 1; i < csv->header().size(); ++i) {
      const std::string& column = csv->header()[i];
      if (!is_counter(column) || csv->cells()[i].empty()) continue;
      const std::size_t bracket = column.find('[');
      const std::string series =
          bracket == std::string::npos ? "value" : column.substr(bracket + 1, column.size() - bracket - 2);
      const std::string name = column.substr(0, bracket) + (bracket == std::string::npos ? "" : " " + series);
      events.counter(name, series, at, csv->cells()[i]);
    }
  }
}

}  // namespace

Result<std::string> perfetto_of(const ExportRequest& request) {
  TraceEvents events;
  const auto failed = for_each_chosen_order(request, kMostOrders, "what a trace viewer can show",
                                            [&](const OrderRow& order) { add_order(events, order); });
  if (failed) return *failed;
  add_counters(events, request);
  return events.finish();
}

}  // namespace sim::report
