// The fingerprint of meaning: the same for what happened alike, however it was played, and another for
// anything else.
#include "trace/meaning.h"

#include <doctest/doctest.h>

#include <functional>
#include <set>

#include "observe/story.h"

namespace sim::trace {
namespace {

using test::Story;

class Listener final : public observe::Observer {
 public:
  explicit Listener(const observe::Names& names) : meaning(names) {}
  void on(const observe::Observation& observation) override { meaning.on(observation); }
  Meaning meaning;
};

observe::Names shop_names() {
  observe::Names names;
  for (int i = 0; i < 32; ++i) names.processes.push_back("process-" + std::to_string(i));
  names.flows = {"order-service"};
  names.services = {"inventory"};
  names.faults = {"crash"};
  return names;
}

std::uint64_t meaning_of(const std::function<void(Story&)>& tell,
                         const observe::Names& names = shop_names()) {
  Listener listener(names);
  Story story(listener);
  story.tell(0, test::kBroker1, observe::TopicCreated{TopicId{1}, "orders", 1, 3});
  tell(story);
  return listener.meaning.value();
}

TEST_CASE("a change of any part of a fact changes the meaning, and so do a fact more and another order") {
  const std::function<void(Story&)> stories[] = {
      [](Story& s) { s.high_watermark(5, 7, 8); },
      [](Story& s) { s.high_watermark(6, 7, 8); },
      [](Story& s) { s.high_watermark(5, 6, 8); },
      [](Story& s) { s.high_watermark(5, 7, 9); },
      [](Story& s) {
        s.high_watermark(5, 7, 8);
        s.high_watermark(5, 7, 8);
      },
      [](Story& s) {
        s.tell(5, test::kBroker1, observe::LogTruncated{test::kOrders0, NodeId{1}, 7, 8});
      },
      [](Story& s) {
        s.tell(5, ProcessId{11}, observe::LogTruncated{test::kOrders0, NodeId{1}, 7, 8});
      },
      [](Story& s) {
        s.isr(5, {NodeId{1}, NodeId{3}});
      },
      [](Story& s) {
        s.isr(5, {NodeId{3}, NodeId{1}});
      },
      [](Story& s) { s.isr(5, {NodeId{1}}); },
      [](Story& s) {
        s.appended(5, 7, Story::batch_of({3, 4}));
      },
      [](Story& s) {
        s.appended(5, 7, Story::batch_of({3, 5}));
      },
      [](Story& s) {
        s.isr(5, {NodeId{1}});
        s.high_watermark(5, 7, 8);
      },
      [](Story& s) {
        s.high_watermark(5, 7, 8);
        s.isr(5, {NodeId{1}});
      },
  };
  std::set<std::uint64_t> meanings;
  for (const auto& story : stories) meanings.insert(meaning_of(story));
  CHECK(meanings.size() == std::size(stories));
}

TEST_CASE("what two processes do at one instant has no order") {
  const auto first = [](Story& s) { s.tell(5, ProcessId{11}, observe::ProcessStarted{}); };
  const auto second = [](Story& s) { s.tell(5, ProcessId{12}, observe::ProcessStopped{}); };
  const std::uint64_t forth = meaning_of([&](Story& s) {
    first(s);
    second(s);
  });
  const std::uint64_t back = meaning_of([&](Story& s) {
    second(s);
    first(s);
  });
  CHECK(forth == back);
}

TEST_CASE("processes count by their names, not by their numbers") {
  observe::Names swapped = shop_names();
  std::swap(swapped.processes[11], swapped.processes[12]);
  const auto told_by = [](int process) {
    return [process](Story& s) { s.tell(5, ProcessId{process}, observe::ProcessStarted{}); };
  };
  CHECK(meaning_of(told_by(11)) == meaning_of(told_by(12), swapped));
  CHECK(meaning_of(told_by(11)) != meaning_of(told_by(11), swapped));
}

TEST_CASE("a traced run means what an untraced one does") {
  Envelope fetch;
  fetch.message = FetchRequest{};
  const auto traced = [&fetch](Story& s) {
    s.high_watermark(5, 7, 8);
    s.tell(6, test::kBroker1, observe::MessageSent{&fetch, 100});
    s.tell(7, test::kBroker1, observe::MessageDelivered{&fetch});
    s.tell(8, test::kBroker1,
           observe::RequestProgress{observe::RequestStage::received, &fetch, fetch.channel, 1});
  };
  CHECK(meaning_of(traced) == meaning_of([](Story& s) { s.high_watermark(5, 7, 8); }));
}

}  // namespace
}  // namespace sim::trace
