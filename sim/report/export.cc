#include "report/export.h"

#include <algorithm>
#include <charconv>

#include "base/human.h"
#include "report/continuous_integration.h"
#include "report/output_files.h"
#include "report/words.h"

namespace sim::report {
namespace {

struct OrderName {
  std::string flow;  // empty = any
  std::int64_t number = -1;
};

std::optional<OrderName> parse_order(const std::string& which) {
  const std::size_t slash = which.rfind('/');
  OrderName name;
  if (slash != std::string::npos) name.flow = which.substr(0, slash);
  const char* begin = which.data() + (slash == std::string::npos ? 0 : slash + 1);
  const char* end = which.data() + which.size();
  const auto [rest, error] = std::from_chars(begin, end, name.number);
  if (error != std::errc() || rest != end || name.number < 0) return std::nullopt;
  return name;
}

// An order of the warm-up counts only if there is no other, as in the summary.
bool is_slower(const OrderRow& a, const OrderRow& b) {
  if (a.in_warmup != b.in_warmup) return b.in_warmup;
  return a.ended - a.intended > b.ended - b.intended;
}

Result<OrderRow> slowest_order(OrdersReader& orders, const std::filesystem::path& run) {
  std::optional<OrderRow> slowest;
  while (orders.next()) {
    if (!slowest || is_slower(orders.row(), *slowest)) slowest = orders.row();
  }
  if (orders.problem()) return *orders.problem();
  if (!slowest) return problem_with(run, "no order was placed in this run");
  return *slowest;
}

// The commit that first covered this order covered everything else that has its stamp: its offset is one more
// than the last of those.
Result<std::vector<std::int64_t>> commits_covering(const std::filesystem::path& run, const OrderRow& order) {
  auto orders = OrdersReader::open(run);
  if (!orders) return orders.problems();
  std::vector<std::int64_t> commits(order.services.size(), -1);
  while (orders->next()) {
    const OrderRow& row = orders->row();
    if (row.partition != order.partition || row.topic != order.topic || row.offset < 0) continue;
    for (std::size_t s = 0; s < order.services.size(); ++s) {
      if (order.services[s].committed >= 0 && row.services[s].committed == order.services[s].committed) {
        commits[s] = std::max(commits[s], row.offset + 1);
      }
    }
  }
  if (orders->problem()) return *orders->problem();
  return commits;
}

Result<std::string> mermaid(const ExportRequest& request) {
  if (request.window) return mermaid_of_window(request.run, request.window->first, request.window->second);
  if (request.order.empty())
    return problem_with(request.run, "say which part: --order ID, or --window FROM..TO");
  const auto order = find_order(request.run, request.order);
  if (!order) return order.problems();
  const auto commits = commits_covering(request.run, *order);
  if (!commits) return commits.problems();
  return mermaid_of_order(*order, *commits);
}

}  // namespace

const std::vector<std::string>& export_formats() {
  static const std::vector<std::string> formats{"mermaid",     "perfetto", "shiviz", "otlp",
                                                "openmetrics", "promtool", "junit",  "github"};
  return formats;
}

std::optional<Problem> check_run_folder(const std::filesystem::path& run) {
  std::error_code error;
  if (!std::filesystem::exists(run, error)) return problem_with(run, "does not exist");
  if (!identify_run(run))
    return problem_with(run, "is not the folder of a run: it has no manifest.json of kraftsim");
  return std::nullopt;
}

Result<OrderRow> find_order(const std::filesystem::path& run, const std::string& which) {
  auto orders = OrdersReader::open(run);
  if (!orders) return orders.problems();
  if (which == "slowest") return slowest_order(*orders, run);
  const auto name = parse_order(which);
  if (!name)
    return problem_with(run, "\"" + which + "\" names no order", "a number, FLOW/NUMBER, or slowest");
  std::vector<OrderRow> found;
  std::int64_t last = -1;
  while (orders->next()) {
    const OrderRow& row = orders->row();
    if (!name->flow.empty() && row.flow != name->flow) continue;
    last = std::max(last, row.number);
    if (row.number == name->number) found.push_back(row);
  }
  if (orders->problem()) return *orders->problem();
  if (found.empty()) {
    return problem_with(
        run, "there is no order " + which,
        last < 0 ? std::string() : "orders 0 to " + std::to_string(last) + " were placed in this run");
  }
  if (found.size() > 1) {
    return problem_with(run, "several flows have an order " + which,
                        found[0].flow + "/" + which + ", or " + found[1].flow + "/" + which);
  }
  return found[0];
}

std::optional<Problem> for_each_chosen_order(const ExportRequest& request, std::size_t most,
                                             const char* limit,
                                             const std::function<void(const OrderRow&)>& use) {
  auto orders = OrdersReader::open(request.run);
  if (!orders) return orders.problems().front();
  std::optional<OrderRow> only;
  if (!request.order.empty()) {
    const auto found = find_order(request.run, request.order);
    if (!found) return found.problems().front();
    only = *found;
  }
  std::size_t count = 0;
  while (orders->next()) {
    const OrderRow& order = orders->row();
    if (only && (order.number != only->number || order.flow != only->flow)) continue;
    if (request.window &&
        (order.ended < nanos(request.window->first) || order.intended >= nanos(request.window->second)))
      continue;
    if (++count > most) {
      return problem_with(request.run,
                          std::string("has more orders than ") + limit + " (" + human_count(most) + ")",
                          "choose some with --window FROM..TO or --order ID");
    }
    use(order);
  }
  return orders->problem();
}

Result<std::string> export_run(const ExportRequest& request) {
  if (request.format == "junit") return junit_of(request.run);  // of sweeps, too
  if (request.format == "github") return github_of(request.run);
  if (auto wrong = check_run_folder(request.run)) return *wrong;
  if (request.format == "mermaid") return mermaid(request);
  if (request.format == "perfetto") return perfetto_of(request);
  if (request.format == "openmetrics") return openmetrics_of(request);
  if (request.format == "promtool") return promtool_of(request);
  if (request.format == "shiviz") return shiviz_of(request);
  if (request.format == "otlp") return otlp_of(request);
  return problem_with(request.run, "\"" + request.format + "\" is not a format",
                      joined(export_formats(), ", "));
}

}  // namespace sim::report
