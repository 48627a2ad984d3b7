#include "app/render_problems.h"

#include <doctest/doctest.h>

#include <string>

namespace sim::app {

namespace {

Problem problem() {
  Problem problem;
  problem.file = "checkout.yaml";
  problem.line = 14;
  problem.column = 5;
  problem.message = "unknown property \"broker.sesion.timeout.ms\" in cluster.config";
  problem.source_line = "    broker.sesion.timeout.ms=9000";
  problem.caret_length = 24;
  problem.hint = "did you mean broker.session.timeout.ms?";
  return problem;
}

}  // namespace

TEST_CASE("place, message, line, caret and hint") {
  CHECK(render_problems({problem()}, false) ==
        "checkout.yaml:14:5: error: unknown property \"broker.sesion.timeout.ms\" in cluster.config\n"
        "    14 |     broker.sesion.timeout.ms=9000\n"
        "       |     ^^^^^^^^^^^^^^^^^^^^^^^^      did you mean broker.session.timeout.ms?\n");
}

TEST_CASE("a warning, and a problem of a whole file") {
  Problem warning = problem();
  warning.warning = true;
  warning.hint.clear();
  CHECK(render_problems({warning}, false).find("checkout.yaml:14:5: warning: unknown") == 0);
  Problem file;
  file.file = "nowhere.yaml";
  file.message = "does not exist";
  file.hint = "did you mean @order-flow?";
  CHECK(render_problems({file}, false) ==
        "nowhere.yaml: error: does not exist\n         did you mean @order-flow?\n");
}

TEST_CASE("the caret stands below its word, whatever the characters before it take") {
  Problem one = problem();
  one.hint.clear();
  one.source_line = "\tname: caf\xC3\xA9 x";
  one.column = 14;
  one.caret_length = 1;
  CHECK(render_problems({one}, false).find("       | \t           ^\n") != std::string::npos);
}

TEST_CASE("of a very long line the part around the caret is shown") {
  Problem one = problem();
  one.source_line = std::string(5000, 'x');
  one.column = 2500;
  one.caret_length = 2000;
  const std::string text = render_problems({one}, false);
  CHECK(text.size() < 700);
  CHECK(text.find("   14 | ...xxx") != std::string::npos);
  CHECK(text.find("x...\n") != std::string::npos);
}

TEST_CASE("colours only when asked for, and the same words") {
  const std::string colored = render_problems({problem()}, true);
  CHECK(colored.find("\x1b[1;31merror:\x1b[0m") != std::string::npos);
  std::string plain;
  for (std::size_t at = 0; at < colored.size(); ++at) {
    if (colored[at] == '\x1b') {
      at = colored.find('m', at);
    } else {
      plain += colored[at];
    }
  }
  CHECK(plain == render_problems({problem()}, false));
}

}  // namespace sim::app
