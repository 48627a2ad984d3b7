// Orders as traces in OTLP's JSON (opentelemetry-proto 1.x): a trace per order, with a span per stage.
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/human.h"
#include "report/export.h"
#include "report/words.h"

namespace sim::report {
namespace {

using OtlpJson = nlohmann::ordered_json;

constexpr std::size_t kMostTraces = 5'000;
// Simulated time 0 as a time of day: 2000-01-01, since a trace that begins in 1970 counts as one without
// time.
constexpr std::int64_t kOrigin = 946'684'800'000'000'000;

enum class SpanKind : std::uint8_t { internal = 1, server = 2, client = 3, producer = 4, consumer = 5 };

std::string hex(std::uint64_t word) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = text.size(); i-- > 0; word >>= 4) text[i] = kDigits[word & 0xF];
  return text;
}

OtlpJson attribute(const char* key, const std::string& value) {
  return {{"key", key}, {"value", {{"stringValue", value}}}};
}
OtlpJson attribute(const char* key, std::int64_t value) {  // 64-bit integers are strings in protobuf's JSON
  return {{"key", key}, {"value", {{"intValue", std::to_string(value)}}}};
}

class Traces {
 public:
  // A span of the order under way; ids follow from the order and the number of the span.
  struct Span {
    std::string process;
    std::string name;
    SpanKind kind = SpanKind::internal;
    std::int64_t from = -1;
    std::int64_t to = -1;
    std::string parent;  // empty: the root
    OtlpJson attributes = OtlpJson::array();
    bool is_error = false;
  };

  void begin(const OrderRow& order) {
    order_seed_ = hash_string(order.flow + "/" + std::to_string(order.number));
    spans_ = 0;
  }

  std::string add(Span span) {
    const std::string id = hex(mix64(order_seed_ + ++spans_) | 1);
    OtlpJson json{{"traceId", hex(mix64(order_seed_) | 1) + hex(order_seed_)}, {"spanId", id}};
    if (!span.parent.empty()) json["parentSpanId"] = span.parent;
    json["name"] = std::move(span.name);
    json["kind"] = static_cast<int>(span.kind);
    json["startTimeUnixNano"] = std::to_string(kOrigin + span.from);
    json["endTimeUnixNano"] = std::to_string(kOrigin + span.to);
    json["attributes"] = std::move(span.attributes);
    json["status"] = {{"code", span.is_error ? 2 : 1}};
    spans_of(span.process).push_back(std::move(json));
    return id;
  }

  std::string finish() const {
    OtlpJson resources = OtlpJson::array();
    for (const auto& [process, spans] : by_process_) {
      resources.push_back({{"resource", {{"attributes", {attribute("service.name", process)}}}},
                           {"scopeSpans", {{{"scope", {{"name", "kraftsim"}}}, {"spans", spans}}}}});
    }
    return OtlpJson{{"resourceSpans", resources}}.dump(-1, ' ', false, OtlpJson::error_handler_t::replace) +
           "\n";
  }

 private:
  OtlpJson& spans_of(const std::string& process) {
    for (auto& [name, spans] : by_process_)
      if (name == process) return spans;
    return by_process_.emplace_back(process, OtlpJson::array()).second;
  }

  std::vector<std::pair<std::string, OtlpJson>> by_process_;  // in order of appearance
  std::uint64_t order_seed_ = 0;
  std::uint64_t spans_ = 0;
};

// Stages in a row under `parent`; what never happened is left out, and its time goes to the next that did.
void add_stages(Traces& traces, const std::string& process, const std::string& parent, std::int64_t from,
                std::initializer_list<std::pair<const char*, std::int64_t>> stages) {
  for (const auto& [name, end] : stages) {
    if (end < 0 || from < 0) continue;
    if (end > from) traces.add({process, name, SpanKind::internal, from, end, parent});
    from = std::max(from, end);
  }
}

void add_service(Traces& traces, const OrderRow& order, const OrderRow::Service& service,
                 const std::string& root) {
  if (service.fetched < 0) return;
  const std::int64_t end = std::max({service.fetched, service.started, service.done});
  Traces::Span span{service.name, "process " + order.topic, SpanKind::consumer, service.fetched, end, root};
  span.attributes = {attribute("messaging.system", "kafka"),
                     attribute("messaging.operation.type", "process"),
                     attribute("messaging.destination.name", order.topic),
                     attribute("messaging.destination.partition.id", std::to_string(order.partition)),
                     attribute("messaging.consumer.group.name", service.name),
                     attribute("messaging.kafka.offset", order.offset),
                     attribute("kraftsim.times_done", service.times)};
  span.is_error = service.lost || service.done < 0;
  const std::string id = traces.add(std::move(span));
  add_stages(traces, service.name, id, service.fetched,
             {{"consumer queue", service.started}, {"service", service.done}});
  if (service.committed > service.done && service.done >= 0)
    traces.add({service.name, "commit", SpanKind::client, service.done, service.committed, root});
}

void add_trace(Traces& traces, const OrderRow& order) {
  traces.begin(order);
  Traces::Span whole{
      order.flow, "order", SpanKind::internal, order.intended, std::max(order.ended, order.intended), ""};
  whole.attributes = {attribute("kraftsim.order", order.number),
                      attribute("kraftsim.outcome", order.outcome)};
  whole.is_error = order.outcome != "fulfilled";
  const std::string root = traces.add(std::move(whole));
  const std::int64_t answered =
      std::max({order.acknowledged, order.failed, order.sent, order.batched, order.accepted, order.intended});
  Traces::Span send{order.flow, "send " + order.topic, SpanKind::producer, order.intended, answered, root};
  send.attributes = {attribute("messaging.system", "kafka"), attribute("messaging.operation.type", "send"),
                     attribute("messaging.destination.name", order.topic)};
  if (order.partition >= 0)
    send.attributes.push_back(
        attribute("messaging.destination.partition.id", std::to_string(order.partition)));
  if (order.offset >= 0) send.attributes.push_back(attribute("messaging.kafka.offset", order.offset));
  send.attributes.push_back(attribute("kraftsim.retries", order.retries));
  if (!order.error.empty()) send.attributes.push_back(attribute("error.type", order.error));
  send.is_error = order.failed >= 0;
  const std::string sending = traces.add(std::move(send));
  add_stages(traces, order.flow, sending, order.intended,
             {{"send() waits", order.accepted}, {"linger", order.batched}, {"retry", order.sent}});
  if (order.appended >= 0) {
    const std::int64_t received = order.received >= 0 ? order.received : order.appended;
    add_stages(traces, order.flow, sending, order.sent, {{"network", received}});
    const std::int64_t end = std::max(order.high_watermark, order.appended);
    const std::string produce =
        traces.add({order.leader,
                    "Produce",
                    SpanKind::server,
                    received,
                    end,
                    sending,
                    {attribute("messaging.system", "kafka"), attribute("kraftsim.isr", order.isr)}});
    add_stages(traces, order.leader, produce, received,
               {{"request queue", order.dequeued},
                {"append", order.appended},
                {"replication", order.high_watermark}});
  }
  for (const OrderRow::Service& service : order.services) add_service(traces, order, service, root);
}

}  // namespace

Result<std::string> otlp_of(const ExportRequest& request) {
  Traces traces;
  const auto failed = for_each_chosen_order(request, kMostTraces, "traces in one file",
                                            [&](const OrderRow& order) { add_trace(traces, order); });
  if (failed) return *failed;
  return traces.finish();
}

}  // namespace sim::report
