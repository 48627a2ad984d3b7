// Which decisions count, and which of those who say that they lead: the table of what follows from each fact.
#include "observe/leaders.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "observe/story.h"

namespace sim::observe {
namespace leaders_test {

using test::kBroker1;
using test::kBroker2;
using test::kOrders0;
using test::Story;

constexpr NodeId kOne{1}, kTwo{2};

struct Fixture {
  Leaders leaders;
  std::vector<std::string> heard;
  Story story{[this](const Observation& seen) {
    std::visit([&](const auto& fact) { leaders.on(fact, seen, [&](const auto& change) { hear(change); }); },
               seen.fact);
  }};

  static std::string number(NodeId id) { return std::to_string(id.value()); }
  void hear(const Elected& change) {
    heard.push_back("elected " + number(change.decision.leader) + " after " + number(change.leader_before) +
                    (change.is_first ? " first" : "") + (change.vacates ? " vacates" : ""));
  }
  void hear(const TookOver& change) {
    heard.push_back("took over " + number(change.by.broker) + (change.is_superseded ? " superseded" : ""));
  }
  void hear(const Left& change) {
    heard.push_back(std::string("left") + (change.is_superseded ? " superseded" : ""));
  }
  void hear(const ControllerSeated& change) {
    const char* how[] = {"active", "resigned", "stopped"};
    heard.push_back(std::string("controller ") + how[static_cast<int>(change.how)] + " " +
                    number(change.node));
  }
  void hear(const BrokerRated& change) {
    heard.push_back(std::string("broker ") + (change.decision.fenced ? "fenced" : "unfenced") +
                    (change.was_fenced ? " was fenced" : ""));
  }
  void hears(const std::vector<std::string>& want) {
    CHECK(heard == want);
    heard.clear();
  }
};

TEST_CASE(
    "who is started again in the epoch in which its former life led takes over only when it is elected "
    "anew") {
  Fixture f;
  f.story.decided(0, 1, kOne, 0, {kOne});
  f.story.leads(1, 0, 0, kBroker1);
  f.hears({"elected 1 after -1 first", "took over 1"});
  f.story.tell(10, kBroker1, ProcessStopped{});
  f.hears({"left"});
  f.story.leads(12, 0, 0, kBroker1);  // nobody can reach it
  f.hears({});
  f.story.decided(15, 2, kOne, 1, {kOne});
  f.story.leads(16, 1, 0, kBroker1);
  f.hears({"elected 1 after 1", "took over 1"});
}

TEST_CASE("a leader is elected, takes over, dies and is replaced; what is told again is no news") {
  Fixture f;
  f.story.decided(0, 1, kOne, 0, {kOne, kTwo});
  f.story.leads(1, 0, 0, kBroker1);
  f.hears({"elected 1 after -1 first", "took over 1"});
  f.story.tell(10, kBroker1, ProcessStopped{});
  f.story.tell(11, kBroker1, ProcessStopped{});  // it does not lead twice
  f.hears({"left"});
  f.story.decided(20, 2, kTwo, 1, {kTwo});
  f.story.decided(21, 2, kTwo, 1, {kTwo});        // by the next controller
  f.story.decided(21, 1, kOne, 0, {kOne, kTwo});  // likewise
  f.story.leads(22, 1, 5, kBroker2);
  f.hears({"elected 2 after 1", "took over 2"});
  CHECK(f.leaders.find(kOrders0)->broker == kTwo);
  CHECK(f.leaders.find(kOrders0)->since == Instant{22ms});
}

TEST_CASE("nobody is elected: the office is vacant though the process lives") {
  Fixture f;
  f.story.decided(0, 1, kOne, 0, {kOne});
  f.story.leads(1, 0, 0, kBroker1);
  f.heard.clear();
  f.story.decided(10, 2, kNoNode, 1, {});
  f.story.decided(11, 3, kNoNode, 1, {});
  f.story.tell(12, kBroker1, ProcessStopped{});
  f.hears({"elected -1 after 1 vacates", "elected -1 after -1"});
}

TEST_CASE("one that does not know that it is deposed counts for nothing; one that is late does lead") {
  Fixture f;
  f.story.leads(0, 3, 0, kBroker1);
  f.story.leads(1, 2, 0, kBroker2);
  f.hears({"took over 1"});
  f.story.decided(10, 7, kTwo, 5, {kTwo});
  f.story.leads(11, 4, 0, kBroker1);  // elected before, and hears of it only now
  f.story.tell(12, kBroker1, ProcessStopped{});
  f.story.leads(13, 5, 0, kBroker2);
  f.hears({"elected 2 after -1 first", "took over 1 superseded", "left superseded", "took over 2"});
}

TEST_CASE("controllers and brokers: each change once") {
  Fixture f;
  const ProcessId first{1}, second{2};
  f.story.tell(0, first, ControllerChanged{NodeId{3001}, QuorumEpoch{1}, true});
  f.story.tell(1, first, ControllerChanged{NodeId{3001}, QuorumEpoch{1}, true});
  f.story.tell(2, second, ControllerChanged{NodeId{3002}, QuorumEpoch{1}, false});
  f.story.tell(3, first, ProcessStopped{});
  f.story.tell(4, first, ControllerChanged{NodeId{3001}, QuorumEpoch{2}, true});  // started again
  f.story.tell(5, first, ControllerChanged{NodeId{3001}, QuorumEpoch{2}, false});
  f.hears({"controller active 3001", "controller stopped -1", "controller active 3001",
           "controller resigned -1"});
  f.story.tell(6, second, BrokerStateChanged{kOne, BrokerEpoch{1}, true, false, 4});
  f.story.tell(7, second, BrokerStateChanged{kOne, BrokerEpoch{1}, true, false, 4});
  f.story.tell(8, second, BrokerStateChanged{kOne, BrokerEpoch{1}, false, false, 9});
  f.hears({"broker fenced", "broker unfenced was fenced"});
}

TEST_CASE("a copy goes on by itself") {
  Fixture f;
  f.story.leads(0, 0, 0, kBroker1);
  Leaders copy = f.leaders;
  f.story.tell(1, kBroker1, ProcessStopped{});
  CHECK_FALSE(f.leaders.find(kOrders0)->in_office);
  CHECK(copy.find(kOrders0)->in_office);
}

TEST_CASE(
    "the latest leader is whom the latest election or, if that was not told yet, the latest office names") {
  Fixture f;
  const auto latest = [&f] { return f.leaders.find(kOrders0)->latest_leader(); };
  f.story.decided(0, 1, kOne, 0, {kOne, kTwo});
  CHECK(latest() == kOne);  // elected, though not in office
  f.story.leads(1, 0, 0, kBroker1);
  CHECK(latest() == kOne);
  f.story.leads(2, 1, 0, kBroker2);  // of its election nobody has told
  CHECK(latest() == kTwo);
  f.story.decided(3, 2, kNoNode, 2, {kOne, kTwo});
  CHECK(latest() == kNoNode);
}

}  // namespace leaders_test
}  // namespace sim::observe
