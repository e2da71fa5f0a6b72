// An app of net/http and gorilla. Prints "port N". What it serves, the other apps serve too.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

// listeners get what is published.
var (
	mutex     sync.Mutex
	listeners = map[chan string]bool{}
)

func listen() (news chan string, leave func()) {
	news = make(chan string, 100)
	mutex.Lock()
	listeners[news] = true
	mutex.Unlock()
	return news, func() {
		mutex.Lock()
		delete(listeners, news)
		close(news)
		mutex.Unlock()
	}
}

func publish(w http.ResponseWriter, r *http.Request) {
	said, _ := io.ReadAll(r.Body)
	mutex.Lock()
	for news := range listeners {
		news <- string(said)
	}
	mutex.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

func jsonAnswer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

func jsonEcho(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		jsonAnswer(w, http.StatusOK, map[string]any{"query": r.URL.Query()})
		return
	}
	var got any
	if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Location", "/json/1")
	jsonAnswer(w, http.StatusCreated, map[string]any{"got": got})
}

func item(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodDelete {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	body, _ := io.ReadAll(r.Body)
	http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
	http.SetCookie(w, &http.Cookie{Name: "c", Value: "d"})
	fmt.Fprintf(w, "now %s", body)
}

func upload(w http.ResponseWriter, r *http.Request) {
	hash := sha256.New()
	size, _ := io.Copy(hash, r.Body)
	jsonAnswer(w, http.StatusOK, map[string]any{"size": size, "sha256": hex.EncodeToString(hash.Sum(nil))})
}

func stream(w http.ResponseWriter, _ *http.Request) {
	for at := 0; at < 200; at++ {
		fmt.Fprintf(w, "line %d\n", at)
		w.(http.Flusher).Flush()
	}
}

func events(w http.ResponseWriter, r *http.Request) {
	news, leave := listen()
	defer leave()
	w.Header().Set("Content-Type", "text/event-stream")
	said := "hello"
	for {
		fmt.Fprintf(w, "data: %s\n\n", said)
		w.(http.Flusher).Flush()
		select {
		case said = <-news:
		case <-r.Context().Done():
			return
		}
	}
}

func echo(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{}
	socket, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer socket.Close()
	news, leave := listen()
	defer leave()
	var writing sync.Mutex
	write := func(kind int, data []byte) {
		writing.Lock()
		defer writing.Unlock()
		_ = socket.WriteMessage(kind, data)
	}
	go func() {
		for said := range news {
			write(websocket.TextMessage, []byte(said))
		}
	}()
	for {
		kind, data, err := socket.ReadMessage()
		if err != nil {
			return
		}
		write(kind, data)
	}
}

func main() {
	http.HandleFunc("/text", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello größe") })
	http.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/text", http.StatusFound) })
	http.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("big "), 1<<18)) })
	for path, handler := range map[string]http.HandlerFunc{
		"/json": jsonEcho, "/item": item, "/upload": upload, "/stream": stream, "/events": events, "/publish": publish, "/ws": echo,
	} {
		http.HandleFunc(path, handler)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println("port", listener.Addr().(*net.TCPAddr).Port)
	panic(http.Serve(listener, nil))
}
