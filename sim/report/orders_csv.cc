#include "report/orders_csv.h"

#include "report/csv.h"
#include "report/orders_columns.h"

namespace sim::report {
namespace {

using metrics::OrderLedger;

void write_orders_header(CsvWriter& csv, const observe::Names& names) {
  for (const char* column : kOrderColumns) csv.text(column);
  for (const std::string& service : names.services) {
    for (const char* column : kServiceColumns) csv.text(service + "_" + column);
  }
  csv.end_row();
}

std::string_view name_of(const std::vector<std::string>& names, std::int32_t index) {
  return index >= 0 && static_cast<std::size_t>(index) < names.size()
             ? std::string_view(names[static_cast<std::size_t>(index)])
             : std::string_view();
}

}  // namespace

void write_orders_csv(OutputFile& file, const record::RunRecord& record, Duration warmup) {
  const OrderLedger& ledger = record.ledger();
  const observe::Names& names = record.names();
  const observe::TopicNames& topics = record.topics();
  CsvWriter csv(file);
  write_orders_header(csv, names);
  TopicId topic = kNoTopic;
  std::string topic_name;
  for (OrderLedger::Index i = 0; i < ledger.size(); ++i) {
    const OrderLedger::Order& order = ledger.order(i);
    const OrderLedger::Batch& batch = ledger.batch_of(order);
    if (batch.tp.topic != topic) {
      topic = batch.tp.topic;
      topic_name = topic == kNoTopic ? "" : topics[topic];
    }
    csv.text(name_of(names.flows, flow_of(order.id).value()));
    csv.number(number_of(order.id));
    if (order.key < observe::kFirstRecordedKey) {
      csv.number_or_empty(order.key);
    } else {
      csv.text(names.key(order.key));
    }
    csv.number(order.value_bytes);
    csv.number(order.intended < nanos(warmup) ? 1 : 0);
    csv.text(metrics::name(ledger.outcome(i)));
    csv.text(order.error == ErrorCode::none ? std::string_view() : sim::name(order.error));
    csv.number(order.intended);
    for (const std::int64_t stamp :
         {order.accepted, batch.batched, batch.sent, batch.received, batch.dequeued, batch.appended,
          batch.high_watermark, batch.acknowledged, order.failed, ledger.ended(i)}) {
      csv.number_or_empty(stamp);
    }
    csv.text(topic_name);
    csv.number_or_empty(batch.tp.partition);
    csv.number_or_empty(ledger.offset_of(order));
    csv.text(name_of(names.processes, batch.leader.value()));
    csv.text(ledger.isr_of(batch.isr));
    csv.number(batch.record_count);
    csv.number(batch.attempts > 1 ? batch.attempts - 1 : 0);
    for (std::size_t s = 0; s < ledger.services(); ++s) {
      const OrderLedger::Service& service = ledger.service(i, s);
      for (const std::int64_t stamp : {service.fetched, service.started, service.done, service.committed}) {
        csv.number_or_empty(stamp);
      }
      csv.number_or_empty(service.member);
      csv.number(service.times);
      csv.number(ledger.lost_for(i, s) ? 1 : 0);
    }
    csv.end_row();
  }
}

}  // namespace sim::report
