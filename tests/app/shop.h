#pragma once

#include <doctest/doctest.h>

#include <filesystem>

#include "app/recording.h"
#include "observe/story.h"

// A little shop with two services and a run of it, written by hand.
namespace sim::test {

using namespace sim::app;
using namespace sim::judge;
using namespace sim::report;

inline scenario::Scenario shop() {
  scenario::Scenario scenario;
  scenario.file = "scenarios/shop.yaml";
  scenario.name = "shop";
  scenario.seed = 7;
  scenario.duration = 2s;
  scenario.source_text = "name: shop\n";
  scenario.portable_yaml = scenario.resolved_yaml = "name: shop\nseed: 7\n";
  workload::FlowSpec flow;
  flow.name = "order-service";
  flow.topic = "orders";
  scenario.cluster.flows.push_back(flow);
  for (const char* name : {"inventory", "payment"}) {
    workload::ServiceSpec service;
    service.name = name;
    service.topic = "orders";
    scenario.cluster.services.push_back(service);
  }
  judge::Expectation tail;
  tail.id = "tail";
  tail.metric = "e2e_latency";
  tail.statistic = "max";
  tail.comparison = judge::Comparison::less;
  tail.limit = 500'000'000;
  tail.unit = judge::Unit::nanoseconds;
  tail.limit_text = "< 500 ms";
  tail.source = "scenarios/shop.yaml:9";
  scenario.expectations.push_back(tail);
  judge::Expectation lost;
  lost.id = "durable";
  lost.metric = "lost_orders";
  lost.statistic = "value";
  lost.comparison = judge::Comparison::equal;
  lost.limit_text = "= 0";
  scenario.expectations.push_back(lost);
  return scenario;
}

inline observe::Names shop_names() {
  observe::Names names;
  names.processes.resize(32);
  names.processes[10] = "broker-1";
  names.processes[20] = "order-service";
  names.processes[30] = "inventory[0]";
  names.processes[31] = "payment[0]";
  names.flows = {"order-service"};
  names.services = {"inventory", "payment"};
  names.groups = {"inventory", "payment"};
  return names;
}

inline void handled(Story& story, std::int64_t ms, std::int32_t service, Offset offset, std::int64_t number) {
  story.polled(ms, service, offset, offset + 1);
  story.started(ms, service, offset, number);
  story.done(ms + 5, service, offset, number);
  story.committed(ms + 7, service, offset + 1);
}

// Three orders: one fulfilled, one failed, one fulfilled and then done again by payment.
inline void play_shop(Story& story) {
  story.tell(0, test::kBroker1, observe::TopicCreated{TopicId{1}, "orders", 1, 1});
  story.leads(0, 0, 0);
  story.isr(0, {NodeId{1}});
  story.published(100, {0}, 0);
  handled(story, 120, 0, 0, 0);
  handled(story, 130, 1, 0, 0);
  story.placed(200, 1);
  story.failed(900, 1, ErrorCode::request_timed_out);
  story.published(1'100, {2}, 1);
  handled(story, 1'120, 0, 1, 2);
  handled(story, 1'150, 1, 1, 2);
  handled(story, 1'300, 1, 1, 2);
}

inline RunEnd settled_end() {
  RunEnd end;
  end.end = Instant{1'500ms};
  end.events = 42;
  end.fingerprint = 0x9f3c77a104be2d10;
  end.repro = "kraftsim run scenarios/shop.yaml --seed 7";
  return end;
}

inline Summary record_shop(const std::filesystem::path& out, trace::Level trace = trace::Level::control) {
  RecordingOptions options;
  options.folder = out;
  options.trace = trace;
  auto recording = Recording::open(shop(), shop_names(), options);
  REQUIRE(recording.ok());
  Story story(**recording);
  play_shop(story);
  CHECK((*recording)->record().settled());
  Summary summary = (*recording)->finish(settled_end());
  CHECK_FALSE((*recording)->not_written());
  return summary;
}

}  // namespace sim::test
