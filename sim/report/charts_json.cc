#include "report/charts_json.h"

#include <nlohmann/json.hpp>

namespace sim::report {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson or_null(std::int64_t value) {
  return value < 0 ? OrderedJson(nullptr) : OrderedJson(value);
}

OrderedJson chart_bin(const judge::Charts::Bin& bin) {
  OrderedJson json{{"from_ns", bin.from_ns},     {"orders", bin.orders},       {"p50_ns", or_null(bin.p50)},
                   {"p90_ns", or_null(bin.p90)}, {"p99_ns", or_null(bin.p99)}, {"max_ns", or_null(bin.max)}};
  for (std::size_t outcome = 0; outcome < bin.outcomes.size(); ++outcome)
    json[metrics::name(static_cast<metrics::Outcome>(outcome))] = bin.outcomes[outcome];
  return json;
}

OrderedJson chart_curve(const judge::Charts::Curve& curve) {
  constexpr const char* kOf[] = {"end_to_end", "service", "acknowledged"};
  OrderedJson json{{"of", kOf[static_cast<std::size_t>(curve.of)]}};
  if (!curve.service.empty()) json["service"] = curve.service;
  json["orders"] = curve.orders;
  json["beyond"] = OrderedJson::array();
  json["latency_ns"] = OrderedJson::array();
  for (const judge::Charts::Curve::Point& point : curve.points) {
    json["beyond"].push_back(point.beyond);
    json["latency_ns"].push_back(point.ns);
  }
  return json;
}

OrderedJson chart_band(const judge::Charts::Band& band) {
  OrderedJson json{
      {"from_percent", band.from_percent}, {"to_percent", band.to_percent}, {"orders", band.orders}};
  json["stages_mean_ns"] = OrderedJson::object();
  for (std::size_t stage = 0; stage < metrics::kStages; ++stage)
    json["stages_mean_ns"][metrics::name(static_cast<metrics::Stage>(stage))] = band.mean_ns[stage];
  return json;
}

OrderedJson chart_leaders(const judge::Charts::PartitionLeaders& leaders) {
  OrderedJson json{{"topic", leaders.topic}, {"partition", leaders.partition}};
  json["spans"] = OrderedJson::array();
  for (const judge::Charts::LeaderSpan& span : leaders.spans) {
    json["spans"].push_back({{"from_ns", span.from_ns},
                             {"to_ns", span.to_ns},
                             {"leader", or_null(span.leader.value())},
                             {"isr", span.isr}});
  }
  return json;
}

OrderedJson chart_story(const judge::OrderStory& story) {
  OrderedJson json{{"why", judge::name(story.why)},
                   {"flow", story.flow},
                   {"order", story.order},
                   {"outcome", metrics::name(story.outcome)},
                   {"intended_ns", story.intended_ns},
                   {"latency_ns", story.latency_ns}};
  json["steps"] = OrderedJson::array();
  for (const judge::TaleLine& step : story.steps)
    json["steps"].push_back({{"at_ns", step.at}, {"what", step.what}, {"around_it", step.is_around_it}});
  return json;
}

}  // namespace

std::string charts_json(const judge::Charts& charts) {
  OrderedJson json{{"schema", "kraftsim-charts/1"},
                   {"orders", charts.orders},
                   {"first_order_ns", or_null(charts.first_order_ns)},
                   {"bin_ns", charts.bin_ns}};
  json["bins"] = OrderedJson::array();
  for (const auto& bin : charts.bins) json["bins"].push_back(chart_bin(bin));
  json["heat"] = {{"edges_ns", charts.heat.edges_ns}, {"orders", charts.heat.orders}};
  json["curves"] = OrderedJson::array();
  for (const auto& curve : charts.curves) json["curves"].push_back(chart_curve(curve));
  json["bands"] = OrderedJson::array();
  for (const auto& band : charts.bands) json["bands"].push_back(chart_band(band));
  json["leaders"] = OrderedJson::array();
  for (const auto& leaders : charts.leaders) json["leaders"].push_back(chart_leaders(leaders));
  json["controllers"] = OrderedJson::array();
  for (const auto& span : charts.controllers) {
    json["controllers"].push_back(
        {{"from_ns", span.from_ns},
         {"to_ns", span.to_ns},
         {"process", span.process.empty() ? OrderedJson(nullptr) : OrderedJson(span.process)}});
  }
  json["stories"] = OrderedJson::array();
  for (const auto& story : charts.stories) json["stories"].push_back(chart_story(story));
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

}  // namespace sim::report
