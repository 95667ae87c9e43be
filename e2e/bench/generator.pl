#!/usr/bin/perl
# Traffic for traffic.ts: blocking sockets, so that what is measured is the path and not an event loop.
#   generator.pl serve PORT                       serves TCP and UDP until it is killed; prints "ready"
#   generator.pl WORK ADDRESS PORT SECONDS        does the work, prints one line of JSON
# WORK: send, receive (bytes a second over TCP), roundtrip, connect (microseconds over TCP),
#       datagrams (bytes a second that arrive over UDP), udp-roundtrip (microseconds)
use strict;
use warnings;
use Socket qw(:DEFAULT IPPROTO_TCP TCP_NODELAY);
use IO::Socket::INET;
use Time::HiRes qw(time);

my $block = "x" x 131072;
# What a link of 1500 bytes carries in one piece.
my $datagram = "d" x 1472;

sub fail { die "$_[0]: $!\n" }

sub connection {
  my ($address, $port) = @_;
  my $socket = IO::Socket::INET->new(PeerAddr => $address, PeerPort => $port, Proto => "tcp", Timeout => 5) or fail("connect");
  setsockopt($socket, IPPROTO_TCP, TCP_NODELAY, 1);
  return $socket;
}

sub serve_connection {
  my ($socket, $order) = @_;
  setsockopt($socket, IPPROTO_TCP, TCP_NODELAY, 1);
  my $total = 0;
  if ($order eq "s") {
    while (my $got = sysread($socket, my $buffer, length $block)) { $total += $got }
    syswrite($socket, "$total\n");
  } elsif ($order eq "r") {
    while (defined syswrite($socket, $block)) { }
  } elsif ($order eq "e") {
    while (sysread($socket, my $buffer, 4096)) { syswrite($socket, $buffer) }
  }
}

sub serve_udp {
  my ($port) = @_;
  my $socket = IO::Socket::INET->new(LocalPort => $port, Proto => "udp") or fail("udp");
  my $total = 0;
  while (defined(my $from = recv($socket, my $message, 65536, 0))) {
    my $order = substr($message, 0, 1);
    if ($order eq "d") { $total += length $message }
    elsif ($order eq "t") { send($socket, "$total\n", 0, $from) }
    elsif ($order eq "z") { $total = 0; send($socket, "z", 0, $from) }
    else { send($socket, $message, 0, $from) }
  }
}

sub serve {
  my ($port) = @_;
  $SIG{CHLD} = $SIG{PIPE} = "IGNORE";
  my $listener = IO::Socket::INET->new(LocalPort => $port, Proto => "tcp", Listen => 128, ReuseAddr => 1) or fail("listen");
  my $udp = fork // fail("fork");
  if ($udp == 0) { serve_udp($port); exit }
  $SIG{TERM} = sub { kill "TERM", $udp; exit };
  $| = 1;
  print "ready\n";
  for (;;) {
    my $socket = $listener->accept or next;
    sysread($socket, my $order, 1) or next;
    if ($order eq "c") { syswrite($socket, $order); close $socket; next }
    my $pid = fork // fail("fork");
    if ($pid == 0) { $SIG{TERM} = "DEFAULT"; close $listener; serve_connection($socket, $order); exit }
    close $socket;
  }
}

# Asks over UDP until there is an answer: datagrams may be lost.
sub asked {
  my ($socket, $message) = @_;
  for (1 .. 20) {
    send($socket, $message, 0);
    my $ready = "";
    vec($ready, fileno($socket), 1) = 1;
    next unless select($ready, undef, undef, 0.2);
    my $answer;
    return $answer if defined recv($socket, $answer, 65536, 0);
  }
  die "no answer over UDP\n";
}

sub percentiles {
  my @sorted = sort { $a <=> $b } @_;
  printf "{\"median\":%.2f,\"p99\":%.2f,\"count\":%d}\n", $sorted[@sorted / 2] * 1e6, $sorted[@sorted * 0.99] * 1e6, scalar @sorted;
}

sub work {
  my ($work, $address, $port, $seconds) = @_;
  my $start = time;
  my $end = $start + $seconds;
  if ($work eq "send") {
    my $socket = connection($address, $port);
    syswrite($socket, "s");
    while (time < $end) { for (1 .. 16) { syswrite($socket, $block) // fail("send") } }
    shutdown($socket, 1);
    my $total = <$socket>;
    printf "{\"rate\":%.0f}\n", $total / (time - $start);
  } elsif ($work eq "receive") {
    my $socket = connection($address, $port);
    syswrite($socket, "r");
    my $total = 0;
    while (time < $end) { for (1 .. 16) { $total += sysread($socket, my $buffer, length $block) || fail("receive") } }
    printf "{\"rate\":%.0f}\n", $total / (time - $start);
  } elsif ($work eq "roundtrip") {
    my $socket = connection($address, $port);
    syswrite($socket, "e");
    my @times;
    while ((my $before = time) < $end) {
      syswrite($socket, "p" x 64);
      sysread($socket, my $answer, 4096) or fail("roundtrip");
      push @times, time - $before;
    }
    percentiles(@times);
  } elsif ($work eq "connect") {
    my @times;
    # A limited rate: closed connections occupy their ports for a minute.
    while ((my $before = time) < $end) {
      my $socket = connection($address, $port);
      syswrite($socket, "c");
      sysread($socket, my $answer, 1) or fail("answer");
      push @times, time - $before;
      close $socket;
      select(undef, undef, undef, 0.002);
    }
    percentiles(@times);
  } else {
    my $socket = IO::Socket::INET->new(PeerAddr => $address, PeerPort => $port, Proto => "udp") or fail("udp");
    asked($socket, "z");
    if ($work eq "datagrams") {
      my $from = time;
      while (time < $end) { for (1 .. 16) { send($socket, $datagram, 0) } }
      my $took = time - $from;
      my $total = asked($socket, "t");
      printf "{\"rate\":%.0f}\n", $total / $took;
    } elsif ($work eq "udp-roundtrip") {
      my @times;
      while ((my $before = time) < $end) {
        asked($socket, "p" x 64);
        push @times, time - $before;
      }
      percentiles(@times);
    } else {
      die "unknown work: $work\n";
    }
  }
}

if (($ARGV[0] // "") eq "serve") { serve($ARGV[1]) } else { work(@ARGV) }
