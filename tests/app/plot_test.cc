// What the drawing scripts are called with; the scripts themselves are tested in tests/plots.
#include "app/plot.h"

#include <doctest/doctest.h>

#include "app/shop.h"
#include "app/temporary_folder.h"

namespace sim::app {
namespace {

TEST_CASE("all charts in two formats unless told otherwise") {
  test::TemporaryFolder tmp;
  test::record_shop(tmp.path() / "run");
  const auto words = plot_command_line(PlotRequest{{tmp.path() / "run"}, {}, {}});
  REQUIRE(words.ok());
  CHECK((*words)[3] == "--format");
  CHECK((*words)[4] == "png,svg");
  CHECK((*words)[6] == "incident_timeline,percentile_spectrum,stage_breakdown,lag,heat_map");
  CHECK(words->back() == (tmp.path() / "run").string());
}

TEST_CASE("every wrong word is named at once") {
  test::TemporaryFolder tmp;
  const auto words = plot_command_line(PlotRequest{{tmp.path() / "nowhere"}, {"pie"}, {"gif"}});
  REQUIRE_FALSE(words.ok());
  REQUIRE(words.problems().size() == 3);
  CHECK(words.problems()[0].message == "\"pie\" is not a chart");
  CHECK(words.problems()[1].hint == "png, svg, pdf");
}

}  // namespace
}  // namespace sim::app
