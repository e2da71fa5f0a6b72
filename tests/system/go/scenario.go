// Two Go clients in front of the proxy. The app behind is harness/app.py's EchoApp and its commands.
package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

const deadline = 20 * time.Second

// conn is what both libraries can do.
type conn interface {
	extension() string
	write(text bool, data []byte) error
	writeFragments(text bool, parts [][]byte) error
	read() (text bool, data []byte, err error)
	// ping sends one and waits for its pong.
	ping() error
	// closeCode reads until the connection ends and says with what.
	closeCode() (int, string)
	close(code int, reason string) (int, error)
}

type failure string

func must(ok bool, format string, args ...any) {
	if !ok {
		panic(failure(fmt.Sprintf(format, args...)))
	}
}

func text(size int) []byte {
	words := strings.Repeat("order price größe 日本 🙂 update {\"type\":\"chat\"} ", size/40+1)
	return []byte(strings.ToValidUTF8(words[:size], ""))
}

func echo(c conn, isText bool, sent []byte) {
	must(c.write(isText, sent) == nil, "writing %d bytes", len(sent))
	gotText, got, err := c.read()
	must(err == nil, "reading %d bytes: %v", len(sent), err)
	must(gotText == isText && string(got) == string(sent), "a message of %d came back as one of %d", len(sent), len(got))
}

func command(c conn, words string) {
	must(c.write(true, []byte(words)) == nil, "writing %s", words)
}

func expect(c conn, wanted string) {
	_, got, err := c.read()
	must(err == nil, "reading: %v", err)
	must(string(got) == wanted, "got %.80q instead of %.80q", got, wanted)
}

func talk(c conn) {
	for _, size := range []int{0, 1, 31, 32, 125, 126, 1000, 65535, 65536, 200000, 1 << 20} {
		echo(c, true, text(size))
		random := make([]byte, size)
		_, _ = rand.Read(random)
		echo(c, false, random)
	}
	for turn := 0; turn < 300; turn++ {
		echo(c, true, []byte(fmt.Sprintf("{\"turn\":%d,\"text\":%q}", turn, text(20+turn*37%400))))
	}
	command(c, "/feed 500 the same news for everyone, again and again")
	for turn := 0; turn < 500; turn++ {
		expect(c, strconv.Itoa(turn)+" the same news for everyone, again and again")
	}
	parts := [][]byte{[]byte("first part, "), []byte(strings.Repeat("größe, ", 2000)), []byte("last")}
	must(c.writeFragments(true, parts) == nil, "writing fragments")
	expect(c, "first part, "+strings.Repeat("größe, ", 2000)+"last")
	command(c, "/fragments 7 "+string(text(3000)))
	expect(c, string(text(3000)))
	must(c.ping() == nil, "no pong")
}

// offer is one way to connect: dial it, and the answer has to contain each of these.
type offer struct {
	name   string
	dial   func(url string) conn
	answer []string
}

func try(url string, o offer) {
	c := o.dial(url)
	for _, wanted := range o.answer {
		must(strings.Contains(c.extension(), wanted), "%q is not in %q", wanted, c.extension())
	}
	must(len(o.answer) > 0 || c.extension() == "", "nothing was offered and %q answered", c.extension())
	talk(c)
	command(c, "/close 4001 bye größe")
	code, reason := c.closeCode()
	must(code == 4001 && reason == "bye größe", "closed with %d %q", code, reason)

	c = o.dial(url)
	code, err := c.close(3999, "enough")
	must(err == nil && code == 3999, "our own close was answered with %d, %v", code, err)

	c = o.dial(url)
	command(c, "/vanish")
	code, _ = c.closeCode()
	must(code == 1011, "a lost app is %d", code)
	fmt.Printf("ok: %s got %q\n", o.name, o.answer)
}

func attempt(url string, o offer) (ok bool) {
	defer func() {
		if problem, is := recover().(failure); is {
			fmt.Fprintf(os.Stderr, "%s: %s\n", o.name, string(problem))
			ok = false
		}
	}()
	try(url, o)
	return true
}

func main() {
	good := true
	for _, o := range append(gorillaOffers(), coderOffers()...) {
		good = attempt(os.Args[1], o) && good
	}
	if !good {
		os.Exit(1)
	}
}
