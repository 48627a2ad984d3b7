// Orders as Chrome trace events: a process for the way to the high watermark and one for each service, a
// thread per order, a slice per stage.
#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>

#include "base/human.h"
#include "report/export.h"

namespace sim::report {
namespace {

constexpr std::size_t kMostOrders = 5'000;  // rows that a viewer can still show

class TraceEvents {
 public:
  void process(std::size_t pid, const std::string& name) {
    begin();
    text_ += R"({"name":"process_name","ph":"M","pid":)" + std::to_string(pid) + R"(,"args":{"name":")" +
             escaped(name) + "\"}}";
  }
  // Slices in a row; what never happened is left out, and the time to the next that did belongs to that one.
  void slices(std::size_t pid, const OrderRow& order, std::int64_t from,
              std::initializer_list<std::pair<const char*, std::int64_t>> stages) {
    for (const auto& [name, end] : stages) {
      if (end < 0 || from < 0) continue;
      if (end > from) slice(pid, order, name, from, end);
      from = std::max(from, end);
    }
  }
  std::string finish() { return "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n" + text_ + "\n]}\n"; }

 private:
  void begin() { text_ += text_.empty() ? "" : ",\n"; }

  void slice(std::size_t pid, const OrderRow& order, const char* name, std::int64_t from, std::int64_t end) {
    begin();
    text_ += std::string(R"({"name":")") + name + R"(","ph":"X","pid":)" + std::to_string(pid) +
             ",\"tid\":" + std::to_string(order.number) + ",\"ts\":" + fixed(from, 3) +
             ",\"dur\":" + fixed(end - from, 3) + R"(,"args":{"flow":")" + escaped(order.flow) +
             R"(","outcome":")" + order.outcome + "\"}}";
  }

  static std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    return out;
  }

  std::string text_;
};

void add_order(TraceEvents& events, const OrderRow& order) {
  events.slices(1, order, order.intended,
                {{"send_wait", order.accepted},
                 {"linger", order.batched},
                 {"retry", order.sent},
                 {"network", order.received},
                 {"request_queue", order.dequeued},
                 {"append", order.appended},
                 {"replication", order.high_watermark}});
  events.slices(2, order, order.high_watermark, {{"response", order.acknowledged}});
  for (std::size_t s = 0; s < order.services.size(); ++s) {
    const OrderRow::Service& service = order.services[s];
    events.slices(
        3 + s, order, order.high_watermark,
        {{"fetch_wait", service.fetched}, {"consumer_queue", service.started}, {"service", service.done}});
    events.slices(3 + s, order, service.done, {{"commit", service.committed}});
  }
}

}  // namespace

Result<std::string> perfetto_of(const ExportRequest& request) {
  auto orders = OrdersReader::open(request.run);
  if (!orders) return orders.problems();
  std::optional<OrderRow> only;
  if (!request.order.empty()) {
    const auto found = find_order(request.run, request.order);
    if (!found) return found.problems();
    only = *found;
  }
  TraceEvents events;
  events.process(1, "producer and leader");
  events.process(2, "acknowledgement");
  std::size_t count = 0;
  while (orders->next()) {
    const OrderRow& order = orders->row();
    if (only && (order.number != only->number || order.flow != only->flow)) continue;
    if (request.window &&
        (order.ended < nanos(request.window->first) || order.intended >= nanos(request.window->second)))
      continue;
    if (++count > kMostOrders) {
      Problem problem;
      problem.file = request.run.string();
      problem.message = "has more orders than a trace viewer can show (" + human_count(kMostOrders) + ")";
      problem.hint = "choose some with --window FROM..TO or --order ID";
      return problem;
    }
    if (count == 1) {
      for (std::size_t s = 0; s < order.services.size(); ++s) events.process(3 + s, order.services[s].name);
    }
    add_order(events, order);
  }
  if (orders->problem()) return *orders->problem();
  return events.finish();
}

}  // namespace sim::report
