#include "words.hpp"

#include <algorithm>
#include <vector>

namespace bench {
namespace {

constexpr std::string_view kWords =
    "the to i you and a it is that of in we for on this have not but so be with just can was are do if "
    "what at me my like no yes get all now will up out your they one there how think know about when "
    "then from some good time as would or see need an want he going work here did more it's don't i'm "
    "should has could back make had let still today okay really got by them go new thanks too because "
    "much other only people who been also right sure why very she after than something our maybe look "
    "us day well down first way any already take tomorrow where where's again were fine great try even "
    "thing before last use say over find made week two better next which keep morning off build test "
    "server anyone meeting send code fix bug release change review branch merge call later check done "
    "issue team update deploy question lunch minutes version sounds please help wrong running works "
    "link same doing actually probably nothing everything someone always never every around while page "
    "file list error data user users name number problem start stop open close read write wait waiting "
    "ready soon late early friday monday tuesday wednesday thursday weekend night home office train "
    "coffee food dinner game play music movie watch video photo phone screen share post message mail "
    "reply answer ask tell told said talk talking hear heard feel feeling love nice cool awesome "
    "perfect happy sorry sad tired busy free hard easy fast slow big small long short old high low "
    "full empty both each few many most less least enough almost quite pretty rather yet ever once "
    "twice three four five ten hour hours minute second month year yesterday plan idea point reason "
    "case part place side end line word words story life world house room door car road city country "
    "money price buy sell pay paid cost shop order ship arrive arrived leave left came come coming "
    "went gone bring brought give gave given put set turn turned move moved run ran walk sit stand "
    "hold held show shown seen looks looking seems believe hope guess mean means meant remember forget "
    "forgot learn understand agree explain depends matter happens happened happening changed broken "
    "breaks failed fails passing green red blue black white staging production database query cache "
    "memory thread socket connection latency metrics dashboard logs request response client browser "
    "mobile design button layout color font docs ticket sprint deadline customer support feedback "
    "feature script config package library upgrade rollback incident alert container cluster network "
    "proxy token login password account invite channel poll vote result results number's weather rain "
    "sunny cold warm holiday birthday party friend friends family kids school class exam book paper "
    "quick quickly exactly totally definitely honestly basically literally apparently hopefully "
    "unfortunately interesting different important possible impossible necessary available similar "
    "simple complicated strange weird funny crazy amazing beautiful terrible annoying";

constexpr std::string_view kPhrases =
    "sounds good to me/can you take a look?/let me check/thanks for the help/"
    "i'll have a look after lunch/see you tomorrow/works for me/good morning everyone/i'm on it/"
    "what do you think?/not sure about that/give me five minutes/does anyone know why?/"
    "that makes sense/i think so too/the build is broken again/"
    "could you review this when you have time/no problem/haha yes/on my way/same here/"
    "let's talk about it in the meeting/just pushed a fix/which version are you running?/"
    "it works on my machine/have a nice weekend/i don't think that is a good idea/will do/"
    "never mind, found it/is it still happening?/sorry, i was in a call/great, thank you so much";

constexpr std::string_view kFirstNames =
    "amelia bashir carla daniel elena farid grace hiro irina jonas keiko liam maria nadia oscar priya "
    "quinn rafael sofia tomas ursula victor wanda xavier yusuf zoe anton bianca cedric dalia";

constexpr std::string_view kLastNames =
    "fox okafor lindqvist moreau tanaka silva novak brandt haddad petrov jansen kumar rossi murphy "
    "nguyen larsen castillo schmidt dubois kowalski";

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

}  // namespace

std::span<const std::string_view> words() {
  static const auto parts = split(kWords, ' ');
  return parts;
}

std::span<const std::string_view> phrases() {
  static const auto parts = split(kPhrases, '/');
  return parts;
}

std::span<const std::string_view> first_names() {
  static const auto parts = split(kFirstNames, ' ');
  return parts;
}

std::span<const std::string_view> last_names() {
  static const auto parts = split(kLastNames, ' ');
  return parts;
}

}  // namespace bench
