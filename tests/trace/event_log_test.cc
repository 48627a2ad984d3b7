// Event lines are valid JSON with the promised fields, at the promised level, without allocating.
#include "trace/event_log.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "observe/story.h"

namespace sim::trace {
namespace {

using test::Story;

class Text final : public Sink {
 public:
  void write(std::string_view bytes) override { text += bytes; }
  std::string text;
};

observe::Names names() {
  observe::Names names;
  names.processes.resize(32);
  names.processes[10] = "broker-1";
  names.processes[20] = "order-service";
  names.processes[30] = "inventory[0]";
  names.flows = {"order-service"};
  names.services = {"inventory"};
  return names;
}

std::string lines_of(Level level, const std::function<void(Story&)>& tell) {
  Text sink;
  EventLog log(sink, level, names());
  Story story(log);
  story.tell(0, test::kBroker1, observe::TopicCreated{TopicId{1}, "orders", 1, 3});
  log.flush();
  sink.text.clear();
  tell(story);
  log.flush();
  return sink.text;
}

TEST_CASE("a fact is one line: time, number, node, name, cause, and its values") {
  struct Row {
    std::function<void(Story&)> tell;
    const char* want;
  };
  const Row rows[] = {
      {[](Story& s) { s.high_watermark(5, 7, 8); },
       R"({"t":5000000,"seq":2,"node":"broker-1","ev":"HighWatermarkAdvanced","cause":1,"tp":"orders-0","from":7,"to":8,"min_isr":1})"},
      {[](Story& s) {
         s.appended(5, 7, Story::batch_of({3, 4}));
       },
       R"({"t":5000000,"seq":2,"node":"broker-1","ev":"BatchAppended","cause":1,"tp":"orders-0","offset":7,"leader_epoch":0,"records":2,"bytes":200,"orders":[3,4]})"},
      {[](Story& s) {
         s.isr(5, {NodeId{1}, NodeId{3}});
       },
       R"({"t":5000000,"seq":2,"node":"broker-1","ev":"IsrChanged","cause":1,"tp":"orders-0","isr":[1,3],"partition_epoch":0})"},
      {[](Story& s) { s.done(5, 0, 7, 3); },
       R"({"t":5000000,"seq":2,"node":"inventory[0]","ev":"ProcessingDone","cause":1,"service":"inventory","member":0,"tp":"orders-0","offset":7,"order":3})"},
      {[](Story& s) { s.failed(5, 3, ErrorCode::request_timed_out); },
       R"({"t":5000000,"seq":2,"node":"order-service","ev":"RecordFailed","cause":1,"order":3,"error":"REQUEST_TIMED_OUT"})"},
      {[](Story& s) { s.arrived(5, observe::RequestStage::received, Story::batch_of({3})); },
       R"({"t":5000000,"seq":2,"node":"broker-1","ev":"RequestProgress","cause":1,"stage":"received","client":"order-service","server":"broker-1","lane":"data","correlation":1,"msg":"ProduceRequest"})"},
      {[](Story& s) {
         s.tell(5, test::kBroker1, observe::OffsetsStored{"gr\"oup\n", test::kOrders0, 9});
       },
       R"({"t":5000000,"seq":2,"node":"broker-1","ev":"OffsetsStored","cause":1,"group":"gr\"oup\u000a","tp":"orders-0","offset":9})"},
  };
  for (const Row& row : rows) CHECK(lines_of(Level::full, row.tell) == std::string(row.want) + "\n");
}

TEST_CASE("a control trace leaves out what comes with each order, but no error") {
  const auto tell = [](Story& story) {
    story.leads(1, 0, 0);
    story.published(10, {0}, 0);
    story.polled(30, 0, 0, 1);
    story.committed(31, 0, 1);
    story.refused(40, Story::batch_of({0}), ErrorCode::not_leader_or_follower, true);
  };
  const std::string control = lines_of(Level::control, tell);
  CHECK(std::count(control.begin(), control.end(), '\n') == 2);
  CHECK(control.find("BecameLeader") != std::string::npos);
  CHECK(control.find("NOT_LEADER_OR_FOLLOWER") != std::string::npos);
  const std::string full = lines_of(Level::full, tell);
  CHECK(std::count(full.begin(), full.end(), '\n') == 12);
}

TEST_CASE("only a full trace asks for messages") {
  Text sink;
  CHECK(EventLog(sink, Level::full, names()).wants_messages());
  CHECK_FALSE(EventLog(sink, Level::control, names()).wants_messages());
}

TEST_CASE("an answer tells what went wrong, of the whole and of each part; nothing of what went right") {
  const auto line_of = [](Message message) {
    const Envelope answer{{ProcessId{0}, ProcessId{1}, Lane::data}, 7, true, std::move(message)};
    return lines_of(Level::full, [&](Story& story) {
      story.tell(1, test::kBroker1, observe::TopicCreated{TopicId{1}, "orders", 2, 1});
      story.tell(2, test::kBroker1, observe::MessageSent{&answer, 10});
    });
  };
  ProduceResponse produced;
  produced.partitions.emplace_back().tp = test::kOrders0;
  produced.partitions.back().error = ErrorCode::not_enough_replicas;
  produced.partitions.emplace_back().tp = {TopicId{1}, 1};
  CHECK(line_of(produced).find("\"errors\":{\"orders-0\":\"NOT_ENOUGH_REPLICAS\"},") != std::string::npos);
  CHECK(line_of(HeartbeatResponse{ErrorCode::rebalance_in_progress})
            .find("\"error\":\"REBALANCE_IN_PROGRESS\",") != std::string::npos);
  CHECK(line_of(HeartbeatResponse{}).find("error") == std::string::npos);
  CreateTopicsResponse created;
  created.topics.emplace_back().name = "later";
  created.topics.back().error = ErrorCode::topic_already_exists;
  CHECK(line_of(created).find("\"errors\":{\"later\":\"TOPIC_ALREADY_EXISTS\"},") != std::string::npos);
}

TEST_CASE("the buffer does not grow with the run") {
  Text sink;
  EventLog log(sink, Level::full, names());
  Story story(log);
  for (int i = 0; i < 20'000; ++i) story.high_watermark(i, i, i + 1);
  CHECK(sink.text.size() > 1'000'000);
  log.flush();
  CHECK(std::count(sink.text.begin(), sink.text.end(), '\n') == 20'000);
}

}  // namespace
}  // namespace sim::trace
