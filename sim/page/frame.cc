#include "page/frame.h"

#include "page/markup.h"
#include "page/style.h"

namespace sim::page {

std::string html_of(const Frame& frame) {
  const std::string head =
      "<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<meta name=\"color-scheme\" content=\"light dark\">"
      "<link rel=\"icon\" href=\"data:,\">" +
      element("title", "", escaped(frame.title)) + element("style", "", kStyleSheet);
  const std::string body = element("header", "", frame.header) + element("main", "", frame.main) +
                           element("footer", "", frame.footer);
  return "<!DOCTYPE html>\n<html lang=\"en\">\n" + element("head", "", head) + element("body", "", body) +
         "</html>\n";
}

std::string section(const char* id, const char* title, const std::string& content) {
  if (content.empty()) return "";
  return element("section", std::string("id=\"") + id + "\"", element("h2", "", title) + content);
}

std::string figure_markup(const Figure& figure) {
  if (figure.markup.empty()) return "";
  return element("figure", "",
                 element("h3", "", escaped(figure.finding)) +
                     element("figcaption", "", escaped(figure.caption)) + figure.markup);
}

std::string code(const std::string& text) {
  return "<code>" + escaped(text) + "</code>";
}

std::string soft(const std::string& content) {
  return element("p", "class=\"soft\"", content);
}

std::string verdict_word(const std::string& verdict) {
  if (verdict == "ok") return "PASS";
  if (verdict == "failed") return "FAIL";
  return verdict.empty() ? "NO VERDICT" : "INCONCLUSIVE";
}

std::string verdict_badge(const std::string& verdict) {
  return "<span class=\"verdict " + escaped(verdict) + "\">" + verdict_word(verdict) + "</span>";
}

std::string card(const std::string& value, const std::string& what) {
  return element("li", "", element("b", "", escaped(value)) + element("span", "", escaped(what)));
}

std::string folded(const std::string& summary, const std::string& content) {
  return element("details", "", element("summary", "", escaped(summary)) + content);
}

}  // namespace sim::page
